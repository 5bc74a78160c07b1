/**
 * Carries the state of a Loop in the shape in which an iteration computes it.
 *
 * Another shape of the same elements is another name for the same memory, except at the end of a body: what a Loop carries
 * has memory of its own, so that the runtime copies. Where a body reads its state, a Reshape costs nothing.
 */
import { type Graph, type Node, type OpNode, type Tensor, Value } from '../../graph/index.ts';
import { sizes } from '../value.ts';
import { type Pass, rewrite } from '../rewrite.ts';

export const carriedShapes: Pass = (graph) => {
  const initializers = [...graph.initializers];
  const reshape = (from: Value, to: Value): Node => {
    const shape = shapeOf(to);
    initializers.push(shape);
    return { op: 'Reshape', name: `${to.name}/Reshape`, inputs: [from, shape], outputs: [to], attributes: {} };
  };
  const nodes = graph.nodes.flatMap((node) => (node.op === 'Loop' ? withShapesOfBody(node, reshape) : [node]));
  return rewrite({ ...graph, initializers, nodes }, []);
};

/** One value of a Loop's state: the Loop's input and output, and the body's. */
interface Carried {
  readonly initial: Value;
  readonly before: Value;
  readonly after: Value;
  readonly final: Value;
}

/** The Loop, and Reshapes around it and at the start of its body. */
function withShapesOfBody(loop: OpNode<'Loop'>, reshape: (from: Value, to: Value) => Node): readonly Node[] {
  const { body } = loop.attributes;
  const [around, inside, behind]: [Node[], Node[], Node[]] = [[], [], []];
  const state = carriedBy(loop).map((old) => {
    const computed = beforeReshape(body, old.after);
    if (!computed) return old;
    const like = ({ name }: Value) => new Value(`${name}/carried`, computed);
    const moved = { initial: like(old.initial), before: like(old.before), after: computed, final: like(old.final) };
    around.push(reshape(old.initial, moved.initial));
    inside.push(reshape(moved.before, old.before));
    behind.push(reshape(moved.final, old.final));
    return moved;
  });
  return [...around, loopWith(loop, state, [...inside, ...body.nodes]), ...behind];
}

function carriedBy({ inputs: [, , ...initial], outputs, attributes: { body } }: OpNode<'Loop'>): readonly Carried[] {
  return initial.flatMap((value, i) => {
    const [before, after, final] = [body.inputs[i + 2], body.outputs[i + 1], outputs[i]];
    return before && after && final ? [{ initial: value, before, after, final }] : [];
  });
}

function loopWith(loop: OpNode<'Loop'>, state: readonly Carried[], nodes: readonly Node[]): OpNode<'Loop'> {
  const { body } = loop.attributes;
  const [tripCount, cond] = loop.inputs;
  return {
    ...loop,
    inputs: [tripCount, cond, ...state.map(({ initial }) => initial)],
    outputs: [...state.map(({ final }) => final), ...loop.outputs.slice(state.length)],
    attributes: {
      body: {
        ...body,
        inputs: [...body.inputs.slice(0, 2), ...state.map(({ before }) => before)],
        nodes,
        outputs: [
          ...body.outputs.slice(0, 1),
          ...state.map(({ after }) => after),
          ...body.outputs.slice(1 + state.length),
        ],
      },
    },
  };
}

/** What a Reshape gives `value` its shape from. */
function beforeReshape({ nodes }: Graph, { name }: Value): Value | undefined {
  const node = nodes.find(({ outputs }) => outputs.some((output) => output.name === name));
  return node?.op === 'Reshape' ? node.inputs[0] : undefined;
}

function shapeOf(value: Value): Value {
  const data = BigInt64Array.from(sizes(value), BigInt);
  const tensor: Tensor<'int64'> = { dtype: 'int64', shape: [data.length], data };
  return new Value(`shape of ${value.name}`, tensor, tensor);
}
