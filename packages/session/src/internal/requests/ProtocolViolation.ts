/** A server broke the protocol, which ends the connection. It is thrown and caught within the reader of a connection. */
export class ProtocolViolation extends Error {
  readonly _tag = "ProtocolViolation"
  override readonly name = "ProtocolViolation"
}
