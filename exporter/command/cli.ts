/**
 * The command `bn-edge` and its subcommands. The module of each is loaded only when it is called, so that help is
 * quick.
 */
import { Command } from 'commander';
import { refuseSwallowed } from './npm-options.ts';
import { parse, reporting } from './run-command.ts';
import type { Subcommand } from './subcommand.ts';
import { wrongUse } from './usage.ts';

interface Entry {
  /** Shows the command's argument in the list of all commands. */
  readonly usage?: string;
  readonly summary: string;
  readonly load: () => Promise<Subcommand>;
}

type Group = Readonly<Record<string, Entry>>;

/** The subcommands in the order in which they are used. */
export const groups: Readonly<Record<string, Group>> = {
  'Start:': {
    init: {
      usage: '[folder]',
      summary: 'write what a Worker lacks; overwrite nothing',
      load: async () => (await import('./init.ts')).init,
    },
  },
  'From data to a model:': {
    train: {
      usage: '[data]',
      summary: 'train on a table, pictures or arrays',
      load: async () => (await import('./train.ts')).train,
    },
    evaluate: {
      usage: '[run|checkpoint]',
      summary: 'score a run or any ONNX file; show mistakes',
      load: async () => (await import('./evaluate.ts')).evaluate,
    },
    export: {
      usage: '[run|checkpoint]',
      summary: 'turn a run into models/<name>, verified',
      load: async () => (await import('./export.ts')).exportCommand,
    },
    add: {
      usage: '<file>',
      summary: 'put an ONNX file from anywhere into models/',
      load: async () => (await import('./add.ts')).add,
    },
  },
  'From a model to the edge:': {
    recalibrate: {
      usage: '<model>',
      summary: 'measure running statistics again, unlabelled',
      load: async () => (await import('./recalibrate.ts')).recalibrate,
    },
    build: {
      summary: 'compile models/ into one image (wrangler runs it)',
      load: async () => (await import('./build.ts')).build,
    },
    client: {
      summary: 'write typed functions that call a server of models',
      load: async () => (await import('./client.ts')).client,
    },
    release: {
      usage: '[run]',
      summary: 'export, compare with what is deployed, deploy',
      load: async () => (await import('./release.ts')).release,
    },
    rollback: {
      usage: '[name]',
      summary: 'deploy the version before',
      load: async () => (await import('./rollback.ts')).rollback,
    },
    status: {
      usage: '[name]',
      summary: 'compare models/ with what is deployed',
      load: async () => (await import('./status.ts')).status,
    },
  },
};

const entries: ReadonlyMap<string, Entry> = new Map(Object.values(groups).flatMap((group) => Object.entries(group)));

/** Maps names that other tools use to subcommands. */
const otherNames: Readonly<Record<string, string>> = {
  fit: 'train',
  test: 'evaluate',
  eval: 'evaluate',
  score: 'evaluate',
  import: 'add',
  create: 'init',
  new: 'init',
  setup: 'init',
  bundle: 'build',
  compile: 'build',
  publish: 'release',
  undo: 'rollback',
  revert: 'rollback',
  adapt: 'recalibrate',
  list: 'status',
  ls: 'status',
};

/** Names commands of Wrangler. */
const wranglers: readonly string[] = ['dev', 'serve', 'start', 'deploy'];

/** @param args without the interpreter and the script */
export function runProgram(args: readonly string[]): Promise<void> {
  return reporting(args, async () => {
    const [name = '--help', ...rest] = args[0] === 'help' ? [...args.slice(1, 2), '--help'] : args;
    if (name === '-V' || name === '--version') return printVersion();
    const program = createProgram();
    const entry = entries.get(name);
    const command = program.commands.find((each) => each.name() === name);
    if (!entry || !command) {
      refuseOtherNames(name);
      // The rest is dropped, so that `--help` of an unknown command is an error.
      return parse(program, name.startsWith('-') ? [name, ...rest] : [name]);
    }
    const { configure } = await entry.load();
    const completed = await configure(command, rest);
    refuseSwallowed(command, rest, process.env);
    await parse(command, [name, ...(completed ?? rest)], program);
  });
}

async function printVersion(): Promise<void> {
  const { packageVersion } = await import('../../training/files/index.ts');
  process.stdout.write(`${packageVersion()}\n`);
}

function refuseOtherNames(name: string): void {
  const ours = otherNames[name];
  if (ours !== undefined) throw wrongUse(`bn-edge: expected bn-edge ${ours}, got ${name}`);
  if (wranglers.includes(name)) {
    const command = name === 'deploy' ? 'deploy' : 'dev';
    throw wrongUse(`bn-edge: expected npx wrangler ${command}, which builds the image by itself, got ${name}`);
  }
}

function createProgram(): Command {
  const program = new Command('bn-edge')
    .usage('<command> [options]')
    .description(
      "Trains a Batch Normalization network on your data, or takes any ONNX file, and answers with it on Cloudflare's edge.",
    )
    .option('-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this page, or the page of a command')
    .helpCommand(false)
    .addHelpText('after', epilogue);
  program.configureHelp({
    subcommandTerm: (command) => `${command.name()} ${entries.get(command.name())?.usage ?? ''}`,
  });
  for (const [heading, group] of Object.entries(groups)) {
    for (const [name, { summary }] of Object.entries(group)) {
      program.command(name).summary(summary).helpGroup(heading);
    }
  }
  return program;
}

const epilogue = `
The path:
  data ── train ──> runs/<name> ── export ──> models/<name> ── build ──> image
                            any ONNX file ── add ──┘       wrangler dev | deploy

Examples:
  npx bn-edge init
  npx bn-edge train churn.csv --label churned
  npx bn-edge export runs/churn
  npx wrangler dev
  npx wrangler deploy

bn-edge <command> --help says more. Guides: docs/ and README.md of the package.`;
