/**
 * The first frame of each direction, which has no header.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Jute from "./Jute.ts"
import type { JuteError } from "./JuteError.ts"
import { JuteReader } from "./JuteReader.ts"
import * as Records from "./Records.ts"

/** `readOnly` is undefined where the byte is left out, as releases before 3.4 do. */
interface ReadOnlyByte {
  readonly readOnly: boolean | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface ConnectRequest extends Schema.Schema.Type<typeof Records.ConnectRequest>, ReadOnlyByte {}

/**
 * @category models
 * @since 0.1.0
 */
export interface ConnectResponse extends Schema.Schema.Type<typeof Records.ConnectResponse>, ReadOnlyByte {}

/**
 * What a server may say to a connect request.
 *
 * `Refused` is its second shape: a bare reply header. A read-only server of 3.7 and later answers a new session so, with
 * -119, unless it allows local sessions; it then keeps the connection open and stays silent.
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
 * @category codecs
 * @since 0.1.0
 */
export const connectRequest: Jute.Codec<ConnectRequest> = withReadOnly(Jute.codec(Records.ConnectRequest))

/**
 * @category codecs
 * @since 0.1.0
 */
export const connectResponse: Jute.Codec<ConnectResponse> = withReadOnly(Jute.codec(Records.ConnectResponse))

const replyHeader = Jute.codec(Records.ReplyHeader)

/**
 * Either shape of a server's first frame.
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
 * Reads the first frame that a server sends, `bytes[start..end)`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeReply = (bytes: Uint8Array, start = 0, end = bytes.length): Result.Result<ConnectReply, JuteError> =>
  Jute.attempt(connectReply, new JuteReader(bytes, start, end))
