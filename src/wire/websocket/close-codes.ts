/**
 * The status codes of RFC 6455 section 7.4 and of the registry it founded, and which of them may stand in a
 * close frame.
 */

export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  /** Never sent: what a close frame without a code counts as. */
  noStatus: 1005,
  /** Never sent: what a connection that ended without a close frame counts as. */
  abnormal: 1006,
  invalidPayload: 1007,
  policyViolation: 1008,
  messageTooBig: 1009,
  mandatoryExtension: 1010,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  badGateway: 1014,
} as const;

/** Section 7.4.2: 1000 to 2999 belong to the protocol, and only registered ones count; 3000 to 4999 are anyone's. */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
