/** Gradients of the ops that move elements: each moves the cotangent back. */
import { at } from '../../arrays/index.ts';
import {
  constantInts,
  type GraphBuilder,
  GraphError,
  known,
  knownSizes,
  normalizeAxis,
  type OpType,
  type Value,
} from '../../graph/index.ts';
import { notDifferentiable, type RuleTable } from '../rule.ts';

const reshapeLike = (g: GraphBuilder, value: Value, like: Value): Value =>
  g.Reshape(value, g.ints(knownSizes(like.shape)));

/** Returns the block of `value` that begins at `starts` and has the shape of `like`. */
function block(g: GraphBuilder, value: Value, starts: readonly number[], like: Value): Value {
  const ends = knownSizes(like.shape).map((size, i) => size + at(starts, i));
  const axes = like.shape.map((_, i) => i);
  return g.Slice(value, g.ints(starts), g.ints(ends), g.ints(axes), g.ints(axes.map(() => 1)));
}

export const movement = {
  Concat: (g, { inputs, attributes: { axis } }, [dResult]) => {
    let offset = 0;
    return inputs.map((input) => {
      const joined = normalizeAxis(axis, input.shape.length);
      const starts = input.shape.map((_, i) => (i === joined ? offset : 0));
      offset += known('an axis', input.shape[joined]);
      return block(g, dResult, starts, input);
    });
  },
  // The driver sums over the axes that were expanded.
  Expand: (_g, _node, [dOutput]) => [dOutput, null],
  Flatten: (g, { inputs: [input] }, [dOutput]) => [reshapeLike(g, dOutput, input)],
  Gather: notDifferentiable('Gather reads the data set, which is not trained'),
  Pad: (g, { inputs: [data, pads] }, [dOutput]) => [
    block(g, dOutput, constantInts('pads', pads).slice(0, data.shape.length), data),
    null,
  ],
  Reshape: (g, { inputs: [data] }, [dReshaped]) => [reshapeLike(g, dReshaped, data), null],
  ScatterElements: notDifferentiable('ScatterElements is emitted in gradients only'),
  Slice: (g, { inputs: [data, starts, , axes, steps], outputs: [output] }, [dOutput]) => {
    if (constantInts('steps', steps).some((step) => step !== 1)) throw new GraphError('expected steps of 1');
    const [from, along] = [constantInts('starts', starts), constantInts('axes', axes)];
    const before = data.shape.map((dim, axis) => {
      const start = from[along.indexOf(axis)] ?? 0;
      return Math.max(start < 0 ? start + known('an axis', dim) : start, 0);
    });
    const after = data.shape.map((dim, i) => {
      const kept = output.shape[i];
      return dim === kept ? 0 : known('an axis', dim) - known('an axis', kept) - at(before, i);
    });
    return [g.Pad(dOutput, g.ints([...before, ...after]), { mode: 'constant' }), null, null, null, null];
  },
  Transpose: (g, { attributes: { perm } }, [dTransposed]) => [
    g.Transpose(dTransposed, { perm: perm.map((_, axis) => perm.indexOf(axis)) }),
  ],
} satisfies Partial<RuleTable<OpType>>;
