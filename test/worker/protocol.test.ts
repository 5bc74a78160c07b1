import { exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

describe('the protocol', () => {
  it('answers server metadata', async () => {
    const response = await exports.default.fetch('http://worker/v2');
    expect(await response.json()).toEqual({ name: 'bn-edge', version: '0.1.0', extensions: [] });
  });
});
