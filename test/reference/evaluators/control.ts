/** Evaluates loops. */
import type { OpType } from '../../../training/graph/index.ts';
import { element, type NdArray, scalar } from '../ndarray.ts';
import type { EvaluatorTable } from './evaluator.ts';

/** Stacks arrays of one shape along a new first axis. */
function stack(arrays: readonly NdArray[]): NdArray {
  const shape = [arrays.length, ...(arrays[0]?.shape ?? [])];
  return { shape, data: Float64Array.from(arrays.flatMap(({ data }) => [...data])) };
}

export const control = {
  Loop: ([M, cond, ...v_initial], { body }, { run }) => {
    let [going, state] = [element(cond.data, 0), v_initial];
    const scans: NdArray[][] = body.outputs.slice(1 + state.length).map(() => []);
    for (let iteration = 0; iteration < element(M.data, 0) && going; iteration += 1) {
      const [next, ...results] = run(body, [scalar(iteration), scalar(going), ...state]);
      going = element(next?.data ?? [], 0);
      state = results.slice(0, state.length);
      scans.forEach((scan, i) => {
        scan.push(...results.slice(v_initial.length + i, v_initial.length + i + 1));
      });
    }
    return [...state, ...scans.map(stack)];
  },
} satisfies Partial<EvaluatorTable<OpType>>;
