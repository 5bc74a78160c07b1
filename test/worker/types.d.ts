/** Types `exports.default` of `cloudflare:workers` as the Worker under test. */
import type * as worker from '../../worker/index.ts';

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof worker;
    }
  }
}
