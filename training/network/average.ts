/** How the answers of members become one: apart from the schema, so that a program that describes a network loads no package. */

/** One unit is a number, many are classes. */
export const usualAverage = (units: number): 'softmax' | 'values' => (units > 1 ? 'softmax' : 'values');
