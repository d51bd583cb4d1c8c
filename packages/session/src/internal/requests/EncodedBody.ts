/** What follows the length, the xid and the operation's code in the frame of a request: bytes. */
const HEADER = 12

/**
 * The body of a request that was encoded for a connection and never left: what its caller gave at the call, whatever has
 * become of the caller's buffers since. It takes the place of the request, and the next connection gets the same bytes.
 */
export class EncodedBody {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** The bodies in a row of frames, by the xids of their requests; what the session says between them has negative xids. */
export const encodedBodies = (frames: Uint8Array): Map<number, EncodedBody> => {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength)
  const bodies = new Map<number, EncodedBody>()
  for (let at = 0; at + HEADER <= frames.length;) {
    const end = at + 4 + view.getInt32(at)
    const xid = view.getInt32(at + 4)
    // In memory of its own: one small request does not keep all that was written beside it.
    if (xid > 0) bodies.set(xid, new EncodedBody(frames.slice(at + HEADER, end)))
    at = end
  }
  return bodies
}
