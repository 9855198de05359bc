/**
 * The character classes of RFC 9110 and RFC 3986 as 256-entry tables, and the few whole-string checks made of
 * them. Every table is indexed by char code of a byte string; codes above 255 read as undefined, that is false.
 */

/** Bits of {@link TOKEN}. */
export const IS_TOKEN = 1;
export const IS_UPPER = 2;

/** RFC 9110 5.6.2 tchar; upper-case letters carry {@link IS_UPPER} as well. */
export const TOKEN = new Uint8Array(256);
/** RFC 9112 3.2: what may stand in a request-target. See {@link TARGET_EXTRA} for where this deviates. */
export const TARGET = new Uint8Array(256);
/** RFC 3986 3.2.2 reg-name without pct-encoded: unreserved and sub-delims. */
const REG_NAME = new Uint8Array(256);

const ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const UNRESERVED = `${ALPHANUMERIC}-._~`;
const SUB_DELIMS = "!$&'()*+,;=";
/** Not in RFC 3986, but browsers send them unescaped (the WHATWG URL query and path percent-encode sets). */
const TARGET_EXTRA = '[]\\^`{|}';

for (const char of `${ALPHANUMERIC}!#$%&'*+-.^_\`|~`) TOKEN[char.charCodeAt(0)] = IS_TOKEN;
for (let code = 65; code <= 90; code++) TOKEN[code] = IS_TOKEN | IS_UPPER;
for (const char of `${UNRESERVED}${SUB_DELIMS}:@/?%${TARGET_EXTRA}`) TARGET[char.charCodeAt(0)] = 1;
for (const char of `${UNRESERVED}${SUB_DELIMS}`) REG_NAME[char.charCodeAt(0)] = 1;

/** Whether `text` is an RFC 9110 5.6.2 token. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!TOKEN[text.charCodeAt(i)]) return false;
  return text.length > 0;
}

/** Value of a hexadecimal digit's char code, or -1. */
export function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Whether every `%` in `text` is followed by two hexadecimal digits (RFC 3986 2.1). */
export function hasValidEscapes(text: string): boolean {
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 3)) {
    if (hexValue(text.charCodeAt(at + 1)) < 0 || hexValue(text.charCodeAt(at + 2)) < 0) return false;
  }
  return true;
}

/** Whether `text` is `uri-host [ ":" port ]` with a host that is not empty (RFC 9110 7.2, RFC 3986 3.2.2). */
export function isAuthority(text: string): boolean {
  const portAt = text.charCodeAt(0) === 91 ? ipLiteralEnd(text) : hostEnd(text);
  if (portAt <= 0) return false;
  return portAt === text.length || isPort(text, portAt);
}

/** The members of a comma-separated list, trimmed and lower-case, empty ones left out (RFC 9110 5.6.1). */
export function listMembers(value: string): string[] {
  const members: string[] = [];
  for (const member of value.toLowerCase().split(',')) {
    const trimmed = trimOws(member);
    if (trimmed !== '') members.push(trimmed);
  }
  return members;
}

/** `text` without SP and HTAB at either end (OWS, RFC 9110 5.6.3). */
export function trimOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function hostEnd(text: string): number {
  let i = 0;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (REG_NAME[code]) i++;
    else if (code === 37 && hexValue(text.charCodeAt(i + 1)) >= 0 && hexValue(text.charCodeAt(i + 2)) >= 0)
      i += 3;
    else break;
  }
  return i;
}

function ipLiteralEnd(text: string): number {
  const close = text.indexOf(']');
  const inner = text.substring(1, close);
  return close > 0 && (isIpv6(inner) || IPV_FUTURE.test(inner)) ? close + 1 : -1;
}

const IPV_FUTURE = /^v[0-9a-f]+\.[a-z0-9\-._~!$&'()*+,;=:]+$/i;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const H16 = /^[0-9a-f]{1,4}$/i;

/** RFC 3986 3.2.2 IPv6address: eight 16-bit groups, one run of zeros as `::`, the last two maybe dotted. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    if (half === '') continue;
    const parts = half.split(':');
    for (const [at, part] of parts.entries()) {
      const isLast = at === parts.length - 1 && index === halves.length - 1;
      if (H16.test(part)) groups += 1;
      else if (isLast && IPV4.test(part)) groups += 2;
      else return false;
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8;
}

function isPort(text: string, colonAt: number): boolean {
  if (text.charCodeAt(colonAt) !== 58) return false;
  let port = 0;
  for (let i = colonAt + 1; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
    if (port > 65535) return false;
  }
  return true;
}
