/** The Worker under test, with the Durable Object class that the tests use. */
export { DriftMonitor } from '../../worker/drift/index.ts';
export { default } from '../../worker/index.ts';
