/** The bytes of the length, the xid and the operation's code, in front of the body of a request. */
const HEADER = 12

/**
 * The body of a request that was encoded for a connection and never left. It takes the place of the request, so that the next
 * connection gets the bytes of the call, whatever has become of the caller's buffers since.
 */
export class EncodedBody {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** The bodies in a row of frames, by the xids of their requests; pings and credentials have negative xids. */
export const encodedBodies = (frames: Uint8Array): Map<number, EncodedBody> => {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength)
  const bodies = new Map<number, EncodedBody>()
  for (let at = 0; at + HEADER <= frames.length;) {
    const end = at + 4 + view.getInt32(at)
    const xid = view.getInt32(at + 4)
    // A copy: one small request does not keep all bytes that were written beside it.
    if (xid > 0) bodies.set(xid, new EncodedBody(frames.slice(at + HEADER, end)))
    at = end
  }
  return bodies
}
