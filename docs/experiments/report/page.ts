/** Writes the report: one HTML page that needs no other file. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { experiments as allExperiments } from '../claims/index.ts';
import type { Description, Experiment } from '../experiment.ts';
import { loadRecord, type Recorded } from '../run.ts';
import { figureHtml } from './figure.ts';
import { list } from './format.ts';
import { displayed, prose } from './prose.ts';

/**
 * Draws the report from the stored numbers in its folder.
 * @returns the path of the page
 */
export async function writeReport(folder: string): Promise<string> {
  const records = await Promise.all(allExperiments.map((experiment) => loadRecord(folder, experiment)));
  const path = join(folder, 'index.html');
  await writeFile(path, reportPage(allExperiments, records));
  return path;
}

interface Section extends Description {
  readonly number: number;
  readonly experiment: Experiment;
  readonly record: Recorded;
}

/** @param records the results in the order of the claims; undefined for experiments that have not been run */
function reportPage(experiments: readonly Experiment[], records: readonly (Recorded | undefined)[]): string {
  const sections = experiments.flatMap((experiment, i): readonly Section[] => {
    const record = records[i];
    return record ? [{ number: i + 1, experiment, record, ...experiment.describe(record.results) }] : [];
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="Eleven claims about Batch Normalization, each tested on MNIST.">
<title>Batch Norm, claim by claim · bn-edge</title>
<style>
${fontFace('latin')}
${fontFace('greek')}
${styleSheet('../../../worker/page/styles/shared.css')}${styleSheet('report.css')}</style>
</head>
<body>
${introduction(sections)}
<main>
${sections.map(sectionHtml).join('\n')}
</main>
${footer(sections)}
</body>
</html>
`;
}

const styleSheet = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8');

const require = createRequire(import.meta.url);

/**
 * Embeds the font, which the Worker's page uses, too. The browser takes from each file only the letters that the other
 * lacks.
 */
function fontFace(subset: 'latin' | 'greek'): string {
  const file = require.resolve(`@fontsource-variable/source-serif-4/files/source-serif-4-${subset}-wght-normal.woff2`);
  const range = subset === 'greek' ? 'unicode-range:U+0370-03FF;' : '';
  const data = readFileSync(file).toString('base64');
  return `@font-face{font-family:'Source Serif 4';font-weight:200 900;${range}src:url(data:font/woff2;base64,${data}) format('woff2')}`;
}

const introduction = (sections: readonly Section[]): string => `<header>
<p class="eyebrow">bn-edge: Batch Normalization, measured</p>
<!-- back -->
<h1>Batch Norm, claim by claim</h1>
<p class="lead">${prose('What courses teach about Batch Norm, each claim put to an experiment on MNIST. Batch Norm normalizes every channel of $z$ by mean and variance, then scales and shifts it by what it learns:')}</p>
${displayed('\\mu = \\frac1m \\sum_i z_i', '\\sigma^2 = \\frac1m \\sum_i (z_i-\\mu)^2', '\\hat z_i = \\frac{z_i-\\mu}{\\sqrt{\\sigma^2+\\varepsilon}}', '\\tilde z_i = \\gamma\\,\\hat z_i + \\beta')}
<p class="lead">${prose('In training $\\mu$ and $\\sigma^2$ are those of the mini-batch, at test time fixed ones. Everything below was computed by the project’s own training graph in ONNX Runtime, with fixed seeds. “±” and error bars are one standard deviation over the repeats; “clearly” means by more than two standard errors of the difference. A claim that the numbers do not bear out says so.')}</p>
<p class="lead">${tally(sections)} ${prose(readingOrder)}</p>
<ol class="contents" id="claims">
${sections.map(contentsItem).join('\n')}
</ol>
<h2 class="terms">Terms</h2>
<dl class="terms">
${terms.map(([term, meaning]) => `<dt>${prose(term)}</dt><dd>${prose(meaning)}</dd>`).join('\n')}
</dl>
</header>`;

const readingOrder =
  'To see what Batch Norm *is*, read [3](#identity), [4](#superfluous-bias) and [5](#gradients), which are algebra; then what it does in *training*, [1](#input-normalization), [2](#faster-training), [6](#optimizers), [7](#covariate-shift) and [8](#regularization); then what it does in *service*, [9](#test-time), [10](#neighbours) and [11](#recalibration). In a hurry, read 10, and each “So what?”.';

const terms: readonly (readonly [term: string, meaning: string])[] = [
  [
    '$z$, $\\hat z$, $\\tilde z$',
    'What goes into Batch Norm, the same normalized, and what comes out. $\\gamma$ and $\\beta$ are learned, and $\\varepsilon$ is $10^{-5}$.',
  ],
  [
    'channel',
    'A unit of a dense layer, or a feature map of a convolution. Each has a $\\mu$ and a $\\sigma^2$ of its own.',
  ],
  ['mini-batch', 'The samples of one step of training; $m$ counts the values that they have in a channel.'],
  [
    'running statistics',
    '$\\mu$ and $\\sigma^2$ as averages over the mini-batches of the training, of which each step keeps 0.9. They are fixed afterwards, and stored in the exported file.',
  ],
  ['full pass', 'The same two, from one pass over the training set with the finished weights: population statistics.'],
  [
    '`mnist-mlp`, `mnist-cnn`',
    'The project’s networks: two dense layers of 256 units; and two convolutions with a dense layer after them. Batch Norm and ReLU follow each.',
  ],
  ['seed', 'The origin of the initial weights and of the order of samples: one seed is one repeat.'],
  [
    'condition number',
    'The largest eigenvalue over the smallest: 1 for a round surface, large for an elongated one, along which gradient descent is slow.',
  ],
  [
    'covariate shift',
    'What a layer gets is distributed differently from before, because the layers in front of it have learned: internal, if it happens in training.',
  ],
  ['generalization gap', 'The loss on test images less the loss on the images that were learned.'],
  ['calibration error', 'How far the probabilities of the answers are from the share of them that is right.'],
  ['rounding', 'The largest share by which float32 moves a number: $2^{-24}$, or $6 \\cdot 10^{-8}$.'],
];

const contentsItem = (section: Section): string =>
  `<li value="${section.number}"><a href="#${section.experiment.name}">${prose(section.experiment.title)}</a> ${verdictHtml(section)}</li>`;

type Verdict = 'holds' | 'holds in part' | 'does not hold';

const classOf = { holds: 'holds', 'holds in part': 'partly', 'does not hold': 'fails' } as const;

function verdictOf({ findings }: Section): Verdict {
  const holding = findings.filter(({ holds }) => holds).length;
  if (holding === findings.length) return 'holds';
  return holding === 0 ? 'does not hold' : 'holds in part';
}

const verdictHtml = (section: Section): string =>
  `<b class="verdict ${classOf[verdictOf(section)]}">${verdictOf(section)}</b>`;

/** Counts the verdicts: `Of 10 claims 7 hold and 3 hold in part.` */
function tally(sections: readonly Section[]): string {
  const count = (wanted: Verdict) => sections.filter((section) => verdictOf(section) === wanted).length;
  const parts = [
    `${count('holds')} hold`,
    `${count('holds in part')} hold in part`,
    `${count('does not hold')} do not`,
  ];
  return `Of ${sections.length} claims ${list(parts.filter((part) => !part.startsWith('0 ')))}.`;
}

const sectionHtml = (section: Section): string => {
  const { number, experiment, method, findings, figures } = section;
  return `<section id="${experiment.name}">
<h2><span>${number}</span> ${prose(experiment.title)}</h2>
<p class="claim"><b>The claim.</b> ${prose(experiment.claim)} ${verdictHtml(section)}</p>
<div class="method"><h3>What was run</h3>
${method.map((text) => `<p>${prose(text)}</p>`).join('\n')}
</div>
${figures.map(figureHtml).join('\n')}
<div class="findings"><h3>What it shows</h3>
<ul>
${findings.map(({ holds, text }) => `<li class="${holds ? 'holds' : 'fails'}">${prose(text)}</li>`).join('\n')}
</ul>
<p class="consequence"><b>So what?</b> ${prose(experiment.consequence)}</p></div>
<p class="command"><code>npm run experiments -- ${experiment.name}</code> <a href="${experiment.name}.json">all numbers</a> <a href="#claims">all claims</a></p>
</section>`;
};

function footer(sections: readonly Section[]): string {
  const engines = [...new Set(sections.map(({ record }) => record.engine.replace(/\b1 threads/, '1 thread')))].join(
    ', ',
  );
  const quick = sections.some(({ record }) => record.quick);
  return `<footer>
<p>${engines}. MNIST: LeCun, Cortes and Burges.${quick ? ' <b>Of a quick run: fewer repeats and steps.</b>' : ''}</p>
<p>${prose('Ioffe and Szegedy, [Batch Normalization](https://arxiv.org/abs/1502.03167), 2015; Santurkar, Tsipras, Ilyas and Mądry, [How Does Batch Normalization Help Optimization?](https://arxiv.org/abs/1805.11604), 2018.')}</p>
</footer>`;
}
