/**
 * Stands in for Cloudflare's API on the loopback interface: as much of it as Wrangler 4.155 asks for when it deploys a
 * Worker with assets, uploads a version, reads which versions are deployed, and shares traffic among versions.
 * https://developers.cloudflare.com/api/resources/workers/
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The modules of one upload by their name in the bundle, such as `./<hash>-model.onnx`. */
export type Upload = ReadonlyMap<string, Uint8Array>;

interface Share {
  readonly version_id: string;
  readonly percentage: number;
}

/** Wrangler's annotations of a version, such as its message. */
type Annotations = Readonly<Record<string, string>>;

export interface Cloudflare {
  /** The environment variables through which Wrangler reaches the stand-in. */
  readonly env: Readonly<Record<string, string>>;
  readonly uploads: readonly Upload[];
  /** Lists the shares of traffic after each deployment. */
  readonly deployments: readonly (readonly Share[])[];
  /** Disturbs later calls. `how` is asked before each call, such as `POST /client/v4/accounts/…`. */
  disturb(how: (call: string) => Disturbance | undefined): void;
  /** Gives a version all the traffic, as another person's deployment does. */
  deployElsewhere(id: string): void;
  stop(): void;
}

/**
 * What goes wrong with a call. `refuse`: it fails with an error; `missing`: it fails as there is no such Worker;
 * `lose`: it succeeds, but the connection breaks before the answer; `break`: the connection breaks, and nothing is
 * done; `hang`: there is no answer.
 */
export type Disturbance = 'refuse' | 'missing' | 'lose' | 'break' | 'hang';

const created_on = '2026-01-01T00:00:00.000Z';
const token = 'a-token-for-tests';
const isPublic = { enabled: true, previews_enabled: true };

/** Starts the stand-in. The Worker exists already; its version 0 has all the traffic. */
export async function startCloudflare(): Promise<Cloudflare> {
  const uploads: Upload[] = [];
  const annotations = new Map<string, Annotations>();
  const deployments: (readonly Share[])[] = [[{ version_id: versionId(0), percentage: 100 }]];

  let disturbance: Parameters<Cloudflare['disturb']>[0] = () => undefined;
  const answers: readonly [call: RegExp, answer: (body: Request, id: string) => Promise<unknown>][] = [
    [/^GET .*\/services\/[^/]+$/, () => later({ default_environment: { script: { last_deployed_from: 'wrangler' } } })],
    [/^GET .*\/deployments$/, () => later({ deployments: [{ id: 'd', created_on, versions: deployments.at(-1) }] })],
    [
      /^GET .*\/versions\/(\S+)$/,
      (_, id) =>
        later({
          id,
          number: 1,
          metadata: { created_on },
          annotations: annotations.get(id),
          resources: { script: { etag: '', handlers: [] }, script_runtime: {}, bindings: [] },
        }),
    ],
    [
      /^GET .*\/versions\?deployable=true$/,
      () =>
        later({
          items: [...annotations].map(([id, own]) => ({ id, number: 1, metadata: { created_on }, annotations: own })),
        }),
    ],
    [/^GET .*\/workers\/workers\/[^/]+$/, () => later({ subdomain: isPublic })],
    [/^(GET|POST) .*\/subdomain$/, () => later({ subdomain: 'test', ...isPublic })],
    [/^POST .*\/assets-upload-session$/, () => later({ jwt: 'all-assets-are-known', buckets: [] })],
    [
      /^POST .*\/versions\?/,
      async (request) => {
        const { modules, metadata } = await partsOf(request);
        uploads.push(modules);
        annotations.set(versionId(uploads.length), metadata.annotations ?? {});
        return { id: versionId(uploads.length), startup_time_ms: 1, metadata: {}, resources: { script: { etag: '' } } };
      },
    ],
    [
      /^POST .*\/deployments$/,
      async (request) => {
        const { versions } = (await request.json()) as { versions: readonly Share[] };
        deployments.push(versions);
        return {};
      },
    ],
    [/^GET .*\/secrets$/, () => later([])],
    [/^(GET .*\/settings|PATCH .*\/script-settings)$/, () => later({})],
  ];

  const server = createServer((incoming, response) => {
    void (async () => {
      const call = `${incoming.method ?? ''} ${incoming.url ?? ''}`;
      const chunks = (await incoming.toArray()) as Buffer[];
      const body = chunks.length > 0 ? Buffer.concat(chunks) : null;
      const headers = { 'content-type': incoming.headers['content-type'] ?? '' };
      const request = new Request('http://cloudflare', { method: 'POST', headers, body });
      const [pattern, answer] = answers.find(([known]) => known.test(call)) ?? [];
      const isAllowed = incoming.headers.authorization === `Bearer ${token}`;
      const trouble = disturbance(call);
      if (trouble === 'hang') return;
      const success = answer !== undefined && isAllowed && (trouble === undefined || trouble === 'lose');
      const result = success ? await answer(request, pattern?.exec(call)?.[1] ?? '') : null;
      if (trouble === 'lose' || trouble === 'break') return void incoming.socket.destroy();
      const code = trouble === 'missing' ? 10007 : 7003;
      const errors = success ? [] : [{ code, message: `unexpected call: ${call}` }];
      response.writeHead(success ? 200 : 400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ success, errors, messages: [], result }));
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    env: {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`,
      CLOUDFLARE_API_TOKEN: token,
      CLOUDFLARE_ACCOUNT_ID: '0'.repeat(32),
    },
    uploads,
    deployments,
    disturb: (how) => {
      disturbance = how;
    },
    deployElsewhere: (id) => {
      deployments.push([{ version_id: id, percentage: 100 }]);
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export const versionId = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const later = (value: unknown): Promise<unknown> => Promise.resolve(value);

/** Returns the files among the form's fields, and the metadata in another field. */
async function partsOf(request: Request): Promise<{ modules: Upload; metadata: { annotations?: Annotations } }> {
  // oxlint-disable-next-line typescript/no-deprecated -- the form is Wrangler's, not a stranger's
  const fields = [...(await request.formData())];
  const files = fields.filter((field): field is [string, File] => typeof field[1] !== 'string');
  const metadata = fields.find(([name]) => name === 'metadata')?.[1];
  return {
    modules: new Map(await Promise.all(files.map(async ([name, file]) => [name, await file.bytes()] as const))),
    metadata: typeof metadata === 'string' ? (JSON.parse(metadata) as { annotations?: Annotations }) : {},
  };
}
