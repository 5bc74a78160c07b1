/** Under `wrangler dev`, where models cannot be built: those of before answer, and the page says so. */
export async function showBuildError(): Promise<void> {
  const response = await fetch('v2');
  const { build_error: error } = (await response.json()) as { build_error?: string };
  if (error === undefined) return;
  const banner = document.createElement('pre');
  banner.setAttribute('role', 'alert');
  banner.textContent = `The models that lie there now cannot be built; those of before answer.\n${error}`;
  document.body.prepend(banner);
}
