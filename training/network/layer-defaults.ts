/**
 * The defaults of layers. They stand apart from the schema, so that a program that describes a network loads no
 * package.
 */

/** Returns how the answers of members are combined by default: one unit is a number, several are classes. */
export const defaultAverage = (units: number): 'softmax' | 'values' => (units > 1 ? 'softmax' : 'values');

/** The default of the maximum number of bins for each number of a row. */
export const defaultBins = 32;
