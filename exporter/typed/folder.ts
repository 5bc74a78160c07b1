/** Describes the models of a folder as functions with types. */
import { shapeOf } from '../served/ports.ts';
import type { ModelFolder } from '../store/registry.ts';
import { type Facts, typedColumns, typedModel, type TypedModel } from './model.ts';

/** Returns the models that can be called with types, each in its current version. */
export const typedModels = (models: readonly ModelFolder[]): readonly TypedModel[] =>
  models.filter(({ about }) => about.path === about.name).flatMap((model) => typedModel(factsOf(model)) ?? []);

function factsOf({ about, ports }: ModelFolder): Facts {
  // A build has found some of the sizes that the file leaves open.
  const inputs = ports.inputs.map((port) => ({ ...port, shape: about.shapes?.[port.name] ?? shapeOf(port) }));
  const [input] = inputs;
  const columns = new Map(Object.entries(about.columns ?? {}));
  return {
    name: about.name,
    version: about.version,
    inputs,
    outputs: ports.outputs.map((port) => ({ ...port, shape: shapeOf(port) })),
    columns: input?.datatype === 'FP32' ? typedColumns(columns.get(input.name), input.shape ?? []) : undefined,
    output: about.output,
    labels: about.labels,
    takesPictures: about.picture !== undefined && about.picture.values !== null,
  };
}
