/**
 * The connect request and its reply: the first frame in each direction, which has no header.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Jute from "./Jute.ts"
import type { JuteError } from "./JuteError.ts"
import { JuteReader } from "./JuteReader.ts"
import * as Records from "./Records.ts"

/** `readOnly` is undefined if the byte is left out, as releases before 3.4 do. */
interface ReadOnlyByte {
  readonly readOnly: boolean | undefined
}

/**
 * The request that begins or resumes a session. `sessionId` 0 asks for a new one; `timeOut` is in milliseconds;
 * `lastZxidSeen` makes a server refuse a client that has seen more than the server.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectRequest extends Schema.Schema.Type<typeof Records.ConnectRequest>, ReadOnlyByte {}

/**
 * The session that a server gives. `timeOut`, in milliseconds, is the negotiated one; it is 0 when the session has expired.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectResponse extends Schema.Schema.Type<typeof Records.ConnectResponse>, ReadOnlyByte {}

/**
 * The reply to a connect request.
 *
 * `Refused` is a bare reply header. A read-only server since 3.7 that allows no local sessions answers a request for a new
 * session in this way, with the code -119; it then keeps the connection open and stays silent.
 *
 * @category models
 * @since 0.1.0
 */
export type ConnectReply =
  | { readonly _tag: "Answered"; readonly response: ConnectResponse }
  | { readonly _tag: "Refused"; readonly code: number }

const withReadOnly = <A>(record: Jute.Codec<A>): Jute.Codec<A & ReadOnlyByte> => ({
  minimumSize: record.minimumSize,
  write: (writer, value) => {
    record.write(writer, value)
    if (value.readOnly !== undefined) writer.boolean(value.readOnly)
  },
  read: (reader) => ({
    ...record.read(reader),
    readOnly: reader.remaining > 0 ? reader.boolean() : undefined
  })
})

/**
 * Writes and reads a connect request, with or without its last byte.
 *
 * @category codecs
 * @since 0.1.0
 */
export const connectRequest: Jute.Codec<ConnectRequest> = withReadOnly(Jute.codec(Records.ConnectRequest))

/**
 * Writes and reads a connect response, with or without its last byte. To read the first frame of a server use `connectReply`.
 *
 * @category codecs
 * @since 0.1.0
 */
export const connectResponse: Jute.Codec<ConnectResponse> = withReadOnly(Jute.codec(Records.ConnectResponse))

const replyHeader = Jute.codec(Records.ReplyHeader)

/**
 * Writes and reads the first frame of a server in either of its two shapes.
 *
 * @category codecs
 * @since 0.1.0
 */
export const connectReply: Jute.Codec<ConnectReply> = {
  minimumSize: replyHeader.minimumSize,
  write: (writer, reply) =>
    reply._tag === "Answered"
      ? connectResponse.write(writer, reply.response)
      : replyHeader.write(writer, { xid: 0, zxid: 0n, err: reply.code }),
  read: (reader) =>
    reader.remaining === replyHeader.minimumSize
      ? { _tag: "Refused", code: replyHeader.read(reader).err }
      : { _tag: "Answered", response: connectResponse.read(reader) }
}

/**
 * Reads the first frame of a server, `bytes[start..end)`. It fails with `JuteError` for malformed bytes.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeReply = (bytes: Uint8Array, start = 0, end = bytes.length): Result.Result<ConnectReply, JuteError> =>
  Jute.attempt(connectReply, new JuteReader(bytes, start, end))
