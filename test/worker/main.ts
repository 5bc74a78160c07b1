/** The Worker under test, with the class whose objects the tests use. */
export { DriftMonitor } from '../../worker/drift/index.ts';
export { default } from '../../worker/index.ts';
