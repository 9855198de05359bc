/**
 * The app cannot be had: not found, not an app, or its file fails. The message is complete, is meant for people, and may
 * have several lines.
 */
export class AppLoadError extends Error {
  override readonly name = 'AppLoadError';
}
