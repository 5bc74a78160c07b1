/** What layers are where nobody says: apart from the schema, so that a program that describes a network loads no package. */

/** How the answers of members become one: one unit is a number, many are classes. */
export const usualAverage = (units: number): 'softmax' | 'values' => (units > 1 ? 'softmax' : 'values');

/** Into how many bins each number of a row is cut, at most. */
export const usualBins = 32;
