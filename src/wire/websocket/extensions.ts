/**
 * The grammar of `sec-websocket-extensions` (RFC 6455 section 9.1) and what becomes of an offer of
 * permessage-deflate (RFC 7692 section 7.1). A field that does not fit the grammar is malformed as a whole; an offer
 * that fits it and asks for what this server does not know is passed over. Names and values are compared as they
 * are, case included.
 */

import { TOKEN, isToken } from '../grammar.ts';

export interface ExtensionOffer {
  readonly name: string;
  /** In the order sent, repeats kept; the value is undefined where there is none. */
  readonly parameters: readonly (readonly [name: string, value: string | undefined])[];
}

export interface DeflateAgreement {
  /** Value of `sec-websocket-extensions` in the response. */
  readonly response: string;
  /** 8 to 15: no match in what this server deflates reaches back farther than 2 to the power of this. */
  readonly serverMaxWindowBits: number;
}

/** The offers in the client's order of preference; undefined where the value is malformed or has none. */
export function parseExtensions(value: string): ExtensionOffer[] | undefined {
  const scanner = new ExtensionScanner(value);
  const offers: ExtensionOffer[] = [];
  do {
    // RFC 9110 5.6.1.2: empty members count for nothing.
    if (scanner.isAtMemberEnd()) continue;
    const offer = readOffer(scanner);
    if (!offer) return undefined;
    offers.push(offer);
  } while (scanner.take(COMMA));
  // `1#extension`: at least one.
  return scanner.isAtEnd() && offers.length > 0 ? offers : undefined;
}

/**
 * Takes the first offer that can be met (RFC 7692 5 and 7.1). Both sides start every message afresh, so that no
 * connection holds zlib's state: a server may forgo its own context unasked (7.1.1.1), and may demand the same of
 * the client unasked (7.1.1.2).
 */
export function negotiateDeflate(offers: readonly ExtensionOffer[]): DeflateAgreement | undefined {
  for (const offer of offers) {
    if (offer.name !== 'permessage-deflate' || !isAcceptable(offer)) continue;
    const windowBits = offer.parameters.find(([name]) => name === 'server_max_window_bits')?.[1];
    const response = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
    // RFC 7692 7.1.2.1: to take such an offer is to say so. `client_max_window_bits` needs no answer (7.1.2.2): an
    // inflater with the largest window takes whatever the client sends.
    return windowBits === undefined
      ? { response, serverMaxWindowBits: 15 }
      : {
          response: `${response}; server_max_window_bits=${windowBits}`,
          serverMaxWindowBits: Number(windowBits),
        };
  }
  return undefined;
}

/** RFC 7692 7.1.2: decimal, from 8 to 15, no leading zero. */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

type ValueCheck = (value: string | undefined) => boolean;

/** The parameters of permessage-deflate and what value each may have. */
const PARAMETERS: ReadonlyMap<string, ValueCheck> = new Map<string, ValueCheck>([
  ['server_no_context_takeover', (value) => value === undefined],
  ['client_no_context_takeover', (value) => value === undefined],
  ['server_max_window_bits', (value) => value !== undefined && WINDOW_BITS.test(value)],
  ['client_max_window_bits', (value) => value === undefined || WINDOW_BITS.test(value)],
]);

/** RFC 7692 7.1: declined for a parameter that is unknown, repeated, or has a value that it must not have. */
function isAcceptable({ parameters }: ExtensionOffer): boolean {
  const seen = new Set<string>();
  for (const [name, value] of parameters) {
    if (seen.has(name) || !PARAMETERS.get(name)?.(value)) return false;
    seen.add(name);
  }
  return true;
}

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** `extension = token *( ";" extension-param )` */
function readOffer(scanner: ExtensionScanner): ExtensionOffer | undefined {
  const name = scanner.token();
  if (name === undefined) return undefined;
  const parameters: [name: string, value: string | undefined][] = [];
  while (scanner.take(SEMICOLON)) {
    const parameter = readParameter(scanner);
    if (!parameter) return undefined;
    parameters.push(parameter);
  }
  return { name, parameters };
}

/** `extension-param = token [ "=" (token | quoted-string) ]` */
function readParameter(scanner: ExtensionScanner): [string, string | undefined] | undefined {
  const name = scanner.token();
  if (name === undefined) return undefined;
  if (!scanner.take(EQUALS)) return [name, undefined];
  const value = scanner.take(QUOTE) ? scanner.restOfQuoted() : scanner.token();
  return value === undefined ? undefined : [name, value];
}

/** Goes through a value once. Every reader skips the white space behind what it took (RFC 2616 2.1, implied). */
class ExtensionScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipBlanks();
  }

  isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  isAtMemberEnd(): boolean {
    return this.isAtEnd() || this.#text.charCodeAt(this.#at) === COMMA;
  }

  take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    // White space within quotes is part of the value.
    if (code !== QUOTE) this.#skipBlanks();
    return true;
  }

  token(): string | undefined {
    const start = this.#at;
    while (TOKEN[this.#text.charCodeAt(this.#at)]) this.#at++;
    if (this.#at === start) return undefined;
    const token = this.#text.substring(start, this.#at);
    this.#skipBlanks();
    return token;
  }

  /** What stands between the quotes; RFC 6455 9.1: a token, once the escapes are undone. */
  restOfQuoted(): string | undefined {
    let value = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) {
        this.#at++;
        this.#skipBlanks();
        return isToken(value) ? value : undefined;
      }
      if (code === BACKSLASH) this.#at++;
      value += this.#text.charAt(this.#at);
    }
    return undefined;
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09) return;
      this.#at++;
    }
  }
}
