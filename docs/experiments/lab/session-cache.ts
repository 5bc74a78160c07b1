/**
 * Wraps a backend so that it compiles every graph once. Experiments run the same graph with many seeds and learning
 * rates.
 */
import { hash } from 'node:crypto';
import type { Backend, Session } from '../../../training/backend/index.ts';
import { encodeModel } from '../../../training/graph/index.ts';

/** Caches sessions, which stay open for the next user and end with the process. */
export function cachingSessions(backend: Backend): Backend {
  const sessions = new Map<string, Promise<Session>>();
  const remember = (key: string, create: () => Promise<Session>) => {
    const session = sessions.get(key) ?? create();
    sessions.set(key, session);
    return session.then(({ run }) => ({ run, release: () => Promise.resolve() }));
  };
  return {
    ...backend,
    createSession: (graph) => remember(digest(encodeModel(graph)), () => backend.createSession(graph)),
  };
}

const digest = (bytes: Uint8Array): string => hash('sha256', bytes);
