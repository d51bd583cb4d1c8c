/** A server broke the protocol: this connection is of no more use. Thrown and caught within the reader of one. */
export class Violation extends Error {
  readonly _tag = "Violation"
  override readonly name = "Violation"
}
