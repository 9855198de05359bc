/**
 * What a started server says of itself: which versions run in which mode and process, then every address it answers at.
 */
import { VERSION } from './version.ts';

export interface BannerFacts {
  readonly mode: string;
  readonly urls: readonly string[];
}

export function bannerLines({ mode, urls }: BannerFacts): string[] {
  return [
    `tsagi-server ${VERSION} on Bun ${Bun.version}, ${mode === 'none' ? 'no' : mode} mode, pid ${process.pid}`,
    ...listeningLines(urls),
  ];
}

export function listeningLines(urls: readonly string[]): string[] {
  return urls.map((url) => `listening on ${url}`);
}
