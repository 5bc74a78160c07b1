/** Reads the settings in the page's address, and copies the address as a link. */
import { defaultSettings, type Settings } from './engine/settings.ts';
import { fromHash } from './share.ts';

/**
 * Returns the settings of the address, and the default ones where it holds no valid ones.
 * @param refuse receives the message about an invalid address
 */
export function settingsInAddress(refuse: (message: string) => void): Settings {
  try {
    return fromHash(location.hash);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refuse(error.message);
    return defaultSettings;
  }
}

/** @returns a phrase that says how the link can be had */
export async function copyLink(): Promise<string> {
  try {
    // A page that is not served over HTTPS has no clipboard.
    await (navigator.clipboard as Clipboard | undefined)?.writeText(location.href);
    return 'clipboard' in navigator ? 'Copied' : 'The address bar has it';
  } catch {
    return 'The address bar has it';
  }
}
