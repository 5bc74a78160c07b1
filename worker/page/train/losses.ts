/** Draws the losses on the mini-batches and on the validation part, and the accuracy on the latter. */
import { find } from '../dom.ts';
import { percent } from '../format.ts';
import { createChart, type Drawn, type Picture } from './chart.ts';
import type { News, Validated } from './engine/messages.ts';
import { type Side, sides } from './engine/settings.ts';
import { lossText } from './plane.ts';
import { Series, Measurements } from './series.ts';

export class Losses {
  readonly #draw = createChart(find('#loss', SVGSVGElement), 'log', () => this.#picture());
  #training = pairOf(() => new Series());
  #validation = pairOf(() => new Measurements());
  readonly #drawRight = createChart(find('#right', SVGSVGElement), 'share', () => this.#rightPicture());
  #right = pairOf(() => new Measurements());
  #step = 0;

  begin(): void {
    this.#training = pairOf(() => new Series());
    this.#validation = pairOf(() => new Measurements());
    this.#right = pairOf(() => new Measurements());
  }

  showNews({ step, sides: news }: News): void {
    this.#step = step;
    for (const side of sides) this.#training[side].add(news[side].losses);
    this.#draw();
  }

  showValidated({ step, sides: validated }: Validated): void {
    for (const side of sides) {
      const validation = validated[side];
      if (!validation) continue;
      this.#validation[side].add(step, validation.loss);
      this.#right[side].add(step, validation.accuracy);
    }
    this.#draw();
    this.#drawRight();
  }

  #picture(): Picture {
    const drawn = sides.flatMap((side): readonly Drawn[] => [
      { className: side, dots: this.#training[side].dots, as: 'line' },
      { className: `${side} dashed`, dots: this.#validation[side].dots, as: 'line' },
    ]);
    const lastLoss = (side: Side): string => lossText(this.#validation[side].dots.at(-1)?.value ?? NaN);
    const label = `After ${this.#step} steps the loss on held-back samples is ${lastLoss('with')} with Batch Norm and ${lastLoss('without')} without.`;
    return { drawn, label };
  }

  #rightPicture(): Picture {
    const drawn = sides.map((side): Drawn => ({ className: side, dots: this.#right[side].dots, as: 'line' }));
    const lastShare = (side: Side): string => percent(this.#right[side].dots.at(-1)?.value ?? NaN);
    const label = `After ${this.#step} steps ${lastShare('with')} of held-back samples are right with Batch Norm, ${lastShare('without')} without.`;
    return { drawn, label };
  }
}

const pairOf = <T>(make: () => T): Readonly<Record<Side, T>> => ({ with: make(), without: make() });
