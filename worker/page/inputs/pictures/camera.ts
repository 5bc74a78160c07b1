/** Takes pictures with the camera, whose view the page shows meanwhile. */
import { make } from '../../dom.ts';

export interface Camera {
  readonly button: HTMLButtonElement;
  readonly root: HTMLElement;
}

/** @returns undefined when the browser gives a page no camera */
export function createCamera(onPicture: (file: File) => void): Camera | undefined {
  const devices = (navigator as Partial<Navigator>).mediaDevices;
  if (!devices) return undefined;
  const button = make('button', { type: 'button', className: 'quiet' }, 'Use the camera');
  const video = make('video', { muted: true, playsInline: true, ariaLabel: 'What the camera sees' });
  const take = make('button', { type: 'button', className: 'quiet' }, 'Take the picture');
  const status = make('p', { className: 'hint', role: 'status' });
  const live = make('div', { className: 'camera', hidden: true }, video, take);
  const root = make('div', {}, live, status);
  let stream: MediaStream | undefined;
  let isOpening = false;
  /** Turns the camera off once the page shows another model. */
  const watch = new MutationObserver(() => {
    if (!root.isConnected) stop();
  });

  function stop(): void {
    watch.disconnect();
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    live.hidden = true;
    button.textContent = 'Use the camera';
  }
  async function begin(): Promise<void> {
    isOpening = true;
    try {
      stream = await devices?.getUserMedia({ video: { facingMode: 'environment' } });
    } finally {
      isOpening = false;
    }
    if (!root.isConnected) {
      stop();
      return;
    }
    watch.observe(document.body, { childList: true, subtree: true });
    video.srcObject = stream ?? null;
    live.hidden = false;
    button.textContent = 'Stop the camera';
    await video.play();
  }
  button.addEventListener('click', () => {
    // The first click may still wait for the visitor's permission.
    if (isOpening) return;
    status.textContent = '';
    if (stream) {
      stop();
      return;
    }
    begin().catch((error: unknown) => {
      stop();
      status.textContent = `There is no camera to use: ${error instanceof Error ? error.message : ''}`;
    });
  });
  take.addEventListener('click', () => {
    void pictureOf(video).then((file) => {
      stop();
      button.focus();
      if (file) onPicture(file);
    });
  });
  return { button, root };
}

/** Returns what the camera sees now, as a JPEG. */
async function pictureOf(video: HTMLVideoElement): Promise<File | undefined> {
  const canvas = make('canvas', { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((done) => {
    canvas.toBlob(done, 'image/jpeg', 0.92);
  });
  return blob ? new File([blob], 'camera.jpg', { type: 'image/jpeg' }) : undefined;
}
