/** The `workerd` package exports the path of its binary, and no types. */
declare module 'workerd' {
  const binary: string;
  export default binary;
}
