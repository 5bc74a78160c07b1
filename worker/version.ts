/** The package's version, which a test holds equal to that of package.json: a bundled Worker has no such file to read. */
export const version = '0.2.0';
