/** The package's version. A test keeps it equal to that of package.json, which a bundled Worker cannot read. */
export const version = '0.2.0';
