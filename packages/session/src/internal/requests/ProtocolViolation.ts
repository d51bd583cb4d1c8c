/** A server broke the protocol: this connection is of no more use. Thrown and caught within the reader of one. */
export class ProtocolViolation extends Error {
  readonly _tag = "ProtocolViolation"
  override readonly name = "ProtocolViolation"
}
