/**
 * The page works with a model of each kind (rows, pictures, tensors), without models, and with a model that is gone.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { executablePath, launch, type OpenPage, overflow, violations, visit } from './browser.ts';
import { imageOfEachKind } from './image-of-each-kind.ts';
import { type Served, serveImage } from './serve-image.ts';
import type { Image } from '../../worker/create-worker.ts';

const run = promisify(execFile);

let folder: string;
let image: Image;
let server: Served;
let browser: Browser;

const headline = (page: Page) => page.locator('.answer .headline b');
const message = (page: Page) => page.locator('.answer .message');
const codeOf = (page: Page, name: string) => page.locator('.block', { hasText: name }).locator('code').textContent();

/** Opens a model's part of the page, and waits for its first answer. */
async function openModel(name: string, options: Parameters<typeof visit>[2] = {}): Promise<OpenPage> {
  const opened = await visit(browser, server.url, options);
  onTestFinished(() => opened.page.close());
  await opened.page.goto(`${server.url}/#/${name}`);
  await opened.page.getByRole('heading', { level: 1, name }).waitFor();
  if (name !== 'photos') await expect.poll(() => message(opened.page).textContent()).toBe('');
  return opened;
}

async function photo(grey: number, folderOf = folder): Promise<string> {
  const path = join(folderOf, `grey ${grey}'s.png`);
  await sharp({ create: { width: 12, height: 8, channels: 3, background: { r: grey, g: grey, b: grey } } }).toFile(
    path,
  );
  return path;
}

describe.skipIf(executablePath === undefined)('the page for models of each kind, in Chromium', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bn-edge-page-'));
    [image, browser] = await Promise.all([imageOfEachKind(folder), launch()]);
    server = await serveImage(image);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), server.stop()]);
    await rm(folder, { recursive: true });
  });

  it('lists all models, each at its own address, the first at none', async () => {
    const { page } = await openModel('houses');
    const links = page.getByRole('navigation', { name: 'Models' }).getByRole('link');
    expect(await links.allTextContents()).toEqual(['penguins', 'houses', 'photos', 'raw']);
    expect(await links.nth(1).getAttribute('aria-current')).toBe('page');
    await links.nth(3).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'raw' }).waitFor();
    expect(await page.title()).toBe('raw · bn-edge');
    await page.goto(server.url);
    await page.getByRole('heading', { level: 1, name: 'penguins' }).waitFor();
  });

  it('answers to a typical row at once, and to each change of it', async () => {
    const { page, complaints } = await openModel('houses');
    expect(await headline(page).textContent()).toBe('102,024');
    await page.getByRole('textbox', { name: 'area' }).fill('150');
    await expect.poll(() => headline(page).textContent()).toBe('152,024');
    await page.getByRole('combobox', { name: 'heating' }).selectOption('oil');
    await expect.poll(() => headline(page).textContent()).toBe('157,024');
    await page.getByRole('checkbox', { name: 'sold is unknown' }).check();
    await expect.poll(() => codeOf(page, 'curl')).toContain('"sold":null');
    const slider = page.getByRole('slider', { name: 'area' });
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => headline(page).textContent()).toBe('159,021');
    expect(complaints).toEqual([]);
  });

  it('passes on what the Worker says of a value that is none, and of one far outside of training', async () => {
    const { page } = await openModel('houses');
    await page.getByRole('textbox', { name: 'area' }).fill('many');
    await expect.poll(() => message(page).textContent()).toContain('column "area": expected a number, got "many"');
    await page.getByRole('textbox', { name: 'area' }).fill('99999');
    await expect.poll(() => page.locator('.warnings li').allTextContents()).toHaveLength(1);
    expect(await page.locator('.is-outside .name').allTextContents()).toEqual(['area']);
  });

  it('draws how the answer goes along a column, and a bar for each category', async () => {
    const { page } = await openModel('houses');
    const curve = page.getByRole('region', { name: 'If one value changed' });
    await expect
      .poll(() => curve.getByRole('img').getAttribute('aria-label'))
      .toContain('along area, all else as it is: from 22,024 to 222,024.');
    await page.getByRole('combobox', { name: 'heating' }).focus();
    await expect.poll(() => curve.getByRole('listitem').allTextContents()).toEqual(['gas102,024', 'oil107,024']);
    expect(await curve.getByRole('combobox').inputValue()).toBe('heating');
  });

  it('takes a curve away that belongs to another column, when the new one has none', async () => {
    const { page } = await openModel('houses');
    const curve = page.getByRole('region', { name: 'If one value changed' });
    await curve.getByRole('img').waitFor();
    await page.route('**/*:predict', (route) => route.fulfill({ status: 500, json: { error: 'not now' } }));
    await curve.getByRole('combobox').selectOption('heating');
    await curve.getByText('The model has no answer along this column.').waitFor();
    expect(await curve.getByRole('img').count()).toBe(0);
  });

  it.each(['penguins', 'houses', 'raw'])('shows code that answers what the page shows: %s', async (name) => {
    const { page } = await openModel(name);
    const shown = name === 'raw' ? '"outputs"' : ((await headline(page).textContent()) ?? '').replace(',', '');
    const curl = await run('sh', ['-c', `${(await codeOf(page, 'curl')) ?? ''} -s`]);
    expect(curl.stdout).toContain(shown);
    const file = join(folder, `${name}.mts`);
    await writeFile(file, `${(await codeOf(page, 'TypeScript')) ?? ''}\nconsole.log(JSON.stringify(answer));`);
    const typescript = await run(process.execPath, ['--import', 'tsx', file]);
    expect(typescript.stdout).toContain(shown);
  });

  it('copies the code', async () => {
    const { page } = await openModel('houses', { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('button', { name: 'Copy the curl code' }).click();
    await page.getByText('copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(await codeOf(page, 'curl'));
  });

  it('takes a picture that is chosen, shows what the model sees of it, and code that sends the same', async () => {
    const { page, complaints } = await openModel('photos');
    expect(await message(page).textContent()).toBe('Choose, drop or paste a picture.');
    await page.getByLabel('Choose a picture').setInputFiles(await photo(200));
    await expect.poll(() => headline(page).textContent()).toBe('bright');
    await page.getByRole('img', { name: 'The picture as the model sees it' }).waitFor();
    await page.getByText('What the model sees: 6 × 4 pixels.').waitFor();
    const { stdout } = await run('sh', ['-c', `${(await codeOf(page, 'curl')) ?? ''} -s`], { cwd: folder });
    expect(stdout).toContain('"label":"bright"');
    await page.getByLabel('Choose a picture').setInputFiles(await photo(20));
    await expect.poll(() => headline(page).textContent()).toBe('dark');
    expect(complaints).toEqual([]);
  });

  it('takes a picture that is pasted, or dropped', async () => {
    const { page } = await openModel('photos');
    const bytes = [
      ...(await sharp(await photo(230))
        .png()
        .toBuffer()),
    ];
    const give = (type: 'paste' | 'drop') =>
      page.evaluate(`{
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from([${bytes.join()}])], 'a.png', { type: 'image/png' }));
        const event = '${type}' === 'paste'
          ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true })
          : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
        ('${type}' === 'paste' ? document : document.querySelector('.sources')).dispatchEvent(event);
      }`);
    await give('paste');
    await expect.poll(() => headline(page).textContent()).toBe('bright');
    await page.getByLabel('Choose a picture').setInputFiles(await photo(20));
    await expect.poll(() => headline(page).textContent()).toBe('dark');
    await give('drop');
    await expect.poll(() => headline(page).textContent()).toBe('bright');
  });

  it('says so where there is no camera', async () => {
    const { page } = await openModel('photos');
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await page.getByText('There is no camera to use').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('takes a picture by the camera', async () => {
    const filming = await launch('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
    onTestFinished(() => filming.close());
    const { page } = await visit(filming, server.url);
    await page.goto(`${server.url}/#/photos`);
    await page.getByRole('button', { name: 'Use the camera' }).click();
    const width = () => page.locator('video').evaluate((video: { videoWidth: number }) => video.videoWidth);
    await expect.poll(width).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Take the picture' }).click();
    await page.getByRole('img', { name: 'The picture as the model sees it' }).waitFor();
    expect(await codeOf(page, 'curl')).toContain(`'@camera.jpg'`);
  });

  it('films once however often the camera is asked for, and stops when another model is shown', async () => {
    const { page } = await openModel('photos');
    await page.evaluate(`
      window.streams = [];
      window.permissions = [];
      navigator.mediaDevices.getUserMedia = async () => {
        await new Promise((grant) => permissions.push(grant));
        streams.push(document.createElement('canvas').captureStream());
        return streams.at(-1);
      };
    `);
    const live = () =>
      page.evaluate(`streams.map((stream) => stream.getTracks().filter((each) => each.readyState === 'live').length)`);
    await page.evaluate(`{
      const button = [...document.querySelectorAll('button')].find((each) => each.textContent === 'Use the camera');
      button.click();
      button.click();
      permissions.forEach((grant) => grant());
    }`);
    await page.locator('.camera').waitFor();
    await expect.poll(live).toEqual([1]);
    await page.getByRole('navigation', { name: 'Models' }).getByRole('link', { name: 'raw' }).click();
    await page.getByRole('heading', { level: 1, name: 'raw' }).waitFor();
    await expect.poll(live).toEqual([0]);
  });

  it('takes tensors as JSON', async () => {
    const { page } = await openModel('raw');
    const area = page.getByLabel('The inputs, as JSON');
    await area.fill('[{"name":"x","datatype":"FP32","shape":[1,2],"data":[3.5,-1]}]');
    await expect.poll(() => page.locator('.outputs').textContent()).toBe('y [1, 2]3.5  -1');
    await area.fill('[');
    await expect.poll(() => message(page).textContent()).toBe('The inputs are no JSON array yet.');
  });

  it('says why: what each column contributes, and a value that turns the answer', async () => {
    const { page } = await openModel('penguins');
    const why = page.getByRole('region', { name: 'Why' });
    await expect.poll(() => why.textContent()).toMatch(/has [\d.]+ %; a typical row gets [\d.]+ %/);
    expect(await why.locator('.contributions li').count()).toBe(6);
    const flip = why.locator('.flips li').first();
    const [column = '', label = ''] = await flip.locator('b').allTextContents();
    const [name = '', value = ''] = column.split(' ');
    await page.getByLabel(name, { exact: true }).fill(value.replace(',', ''));
    await expect.poll(() => headline(page).textContent()).toBe(label);
  });

  it('looks into the layers of a table, among neighbours and alone', async () => {
    const { page, complaints } = await openModel('penguins');
    const verdict = page.locator('.verdict');
    const looked = () =>
      page
        .locator('.comparison, .layer')
        .evaluateAll((elements: { outerHTML: string }[]) => elements.map(({ outerHTML }) => outerHTML));
    await expect.poll(() => verdict.textContent()).toContain('6 neighbours moved nothing');
    const before = await looked();
    expect(await page.locator('.layer').count()).toBe(1);
    expect(await page.locator('.seen').isVisible()).toBe(false);
    const count = page.getByRole('slider', { name: 'How many neighbours' });
    await Promise.all([page.waitForResponse(/explain/), count.fill('30')]);
    await expect.poll(() => verdict.textContent()).toContain('30 neighbours moved nothing');
    expect((await looked()).slice(1)).toEqual(before.slice(1));
    await page.getByRole('radio', { name: 'this mini-batch' }).check();
    expect(await page.locator('.seen').isVisible()).toBe(true);
    await count.fill('0');
    await expect
      .poll(() => verdict.textContent())
      .toContain('Alone, each channel of bn1 holds one value: σ² is 0 there');
    expect(complaints).toEqual([]);
  });

  it('asks for the API key where the Worker wants one, and goes on with it', async () => {
    const locked = await serveImage(image, { apiKey: 'open-sesame' });
    onTestFinished(() => locked.stop());
    const { page } = await visit(browser, locked.url);
    onTestFinished(() => page.close());
    await page.getByText('This Worker asks for its API key.').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('API key').fill('open-sesame');
    await page.getByRole('button', { name: 'Use it' }).click();
    await expect.poll(() => headline(page).textContent()).toMatch(/Adelie|Chinstrap|Gentoo/);
    expect(await codeOf(page, 'curl')).toContain('-H "authorization: Bearer $API_KEY"');
    expect(await codeOf(page, 'curl')).not.toContain('sesame');
  });

  it('shows the others where a model is gone, and what to do where there is none', async () => {
    const { page, complaints } = await visit(browser, server.url);
    onTestFinished(() => page.close());
    await page.goto(`${server.url}/#/deleted`);
    await page.getByText('This model is not served here. These are: penguins, houses, photos, and raw.').waitFor();
    expect(complaints).toEqual([]);
    const empty = await serveImage({ ...image, models: [] });
    onTestFinished(() => empty.stop());
    await page.goto(empty.url);
    await page.getByRole('heading', { level: 1, name: 'No model yet' }).waitFor();
    await page.getByText('npx bn-edge train customers.csv --label churned').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('keeps the model that was chosen last when an earlier one fails after it', async () => {
    const { page } = await openModel('houses');
    const failed = Promise.withResolvers<undefined>();
    await page.route('**/v2/models/raw', async (route) => {
      await failed.promise;
      await route.fulfill({ status: 500, json: { error: 'too late' } });
    });
    const links = page.getByRole('navigation', { name: 'Models' }).getByRole('link');
    await Promise.all([page.waitForRequest('**/v2/models/raw'), links.nth(3).click()]);
    await links.nth(0).click();
    await page.getByRole('heading', { level: 1, name: 'penguins' }).waitFor();
    const late = page.waitForResponse('**/v2/models/raw');
    failed.resolve(undefined);
    await (await late).finished();
    await page.evaluate('new Promise((done) => setTimeout(done))');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('penguins');
  });

  it('names the reference where there is one', async () => {
    const { page } = await openModel('houses');
    const links = page.locator('footer').getByRole('link');
    const hrefs = async () => Promise.all((await links.all()).map((link) => link.getAttribute('href')));
    await expect.poll(hrefs).toEqual(['docs', 'openapi.json', 'train/']);
    for (const href of await hrefs())
      expect((await page.request.get(`${server.url}/${href ?? ''}`)).status()).toBe(200);
    const without = await serveImage(image, { docs: false });
    onTestFinished(() => without.stop());
    await page.goto(`${without.url}/#/houses`);
    await page.getByRole('heading', { level: 1, name: 'houses' }).waitFor();
    await page.getByText('Every answer comes from a Cloudflare Worker at this address').waitFor();
    expect(await hrefs()).toEqual(['train/']);
  });

  it('says what to do without JavaScript', async () => {
    const { page } = await visit(browser, server.url, { javaScriptEnabled: false });
    onTestFinished(() => page.close());
    expect(await page.locator('noscript p').isVisible()).toBe(true);
    expect(await page.getByText('Asking this Worker').isVisible()).toBe(false);
  });

  it('weighs at most 120 kB compressed without fonts', async () => {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const sizes: Promise<number>[] = [];
    page.on('response', (response) => {
      if (!response.url().includes('woff2') && response.request().method() === 'GET')
        sizes.push(response.body().then((body) => gzipSync(body).length));
    });
    await page.goto(`${server.url}/#/penguins`, { waitUntil: 'networkidle' });
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(sizes.length).toBeGreaterThan(4);
    expect(total).toBeLessThan(120_000);
  });

  it('says how far to trust the answers: what an interval holds, what probabilities mean, what columns are worth', async () => {
    const { page } = await openModel('houses');
    expect(await page.locator('.answer .headline').textContent()).toBe('102,024 82,024 to 122,024');
    const trust = page.getByRole('region', { name: 'How far to trust it' });
    await expect
      .poll(() => trust.textContent())
      .toContain('The interval of ± 20,000 is to hold 90.0 % of values; of the test rows it held 91.2 %.');
    expect(await trust.locator('.worth li').allTextContents()).toEqual([
      'area61,200 ± 2100',
      'heating2400 ± 150',
      'sold−3.00 ± 40.0',
    ]);
    expect(await trust.locator('.reliability').count()).toBe(0);
    const { page: penguins } = await openModel('penguins');
    const picture = penguins.getByRole('img', { name: 'Reliability' });
    expect(await picture.locator('circle').count()).toBeGreaterThan(0);
    expect(await penguins.locator('.worth li').count()).toBe(6);
  });

  // Colours do not depend on the width, so the dark ones are checked only where the layout is narrowest and widest.
  const looks = [
    ...[360, 768, 1280, 1920].map((width) => ({ colorScheme: 'light' as const, width })),
    ...[360, 1920].map((width) => ({ colorScheme: 'dark' as const, width })),
  ];

  it.each(looks)(
    'is accessible, fits and complains of nothing: $colorScheme, $width pixels',
    async ({ colorScheme, width }) => {
      for (const name of ['penguins', 'houses', 'photos', 'raw']) {
        const options = { colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce' } as const;
        const { page, complaints } = await openModel(name, options);
        if (name === 'penguins') await page.locator('.layer').first().waitFor();
        expect([name, await violations(page), await overflow(page), complaints]).toEqual([name, [], 0, []]);
      }
    },
  );

  it.each(looks)(
    'has a reference of the same look that fits: $colorScheme, $width pixels',
    async ({ colorScheme, width }) => {
      const { page, complaints } = await visit(browser, server.url, { colorScheme, viewport: { width, height: 800 } });
      onTestFinished(() => page.close());
      await page.goto(`${server.url}/docs`);
      await page.getByRole('heading', { level: 1, name: 'Reference' }).waitFor();
      expect(await page.getByText('?.').count()).toBe(0);
      await page.locator('details').first().locator('summary').click();
      expect([await violations(page), await overflow(page), complaints]).toEqual([[], 0, []]);
      await page.getByRole('link', { name: 'bn-edge' }).click();
      await page.getByRole('heading', { level: 1, name: 'penguins' }).waitFor();
    },
  );

  it.each([360, 1280])('poses with the form, %i pixels wide', async (width) => {
    const { page } = await openModel('penguins', { viewport: { width, height: 900 } });
    await page.locator('.curve-line').waitFor();
    const picture = await sharp(await page.screenshot({ animations: 'disabled' }))
      .png({ palette: true })
      .toBuffer();
    await writeFile(join(import.meta.dirname, 'screenshots', `form-${width}.png`), picture);
    expect(picture.length).toBeLessThan(150_000);
  });
});
