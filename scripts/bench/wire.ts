/**
 * Frames as the floor writes them and as the stub answers them, made by the same codecs that the client uses.
 */
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type { Stat } from "@effect-zookeeper/protocol/Records"
import { sessionTimeout } from "./contestant.ts"

/** One request as it goes over the wire. */
export const requestFrame = <O extends Operation.Any>(
  xid: number,
  operation: O,
  request: Operation.Request<O>
): Uint8Array => {
  const writer = new JuteWriter()
  Frame.append(writer, (body) => {
    body.int(xid)
    body.int(operation.opCode)
    operation.request.write(body, request)
  })
  return writer.take()
}

/** One successful reply as it goes over the wire; its xid is at offset 4. */
export const replyFrame = <O extends Operation.Any>(operation: O, response: Operation.Response<O>): Uint8Array => {
  const writer = new JuteWriter()
  Frame.append(writer, (body) => {
    body.int(0)
    body.long(1n)
    body.int(0)
    operation.response.write(body, response)
  })
  return writer.take()
}

/** The first frame of a connection; without a session it asks for a new one. */
export const connectFrame = (session?: { readonly id: bigint; readonly password: Uint8Array }): Uint8Array =>
  Frame.encode(Handshake.connectRequest, {
    protocolVersion: 0,
    lastZxidSeen: 0n,
    timeOut: sessionTimeout,
    sessionId: session?.id ?? 0n,
    passwd: session?.password ?? new Uint8Array(16),
    readOnly: false
  })

/** All bytes of many frames, and where each begins; the last offset is the end. */
export const concatFrames = (
  frames: ReadonlyArray<Uint8Array>
): { readonly bytes: Uint8Array; readonly at: Uint32Array } => {
  const at = new Uint32Array(frames.length + 1)
  for (let index = 0; index < frames.length; index++) at[index + 1] = at[index]! + frames[index]!.length
  const bytes = new Uint8Array(at[frames.length]!)
  frames.forEach((frame, index) => bytes.set(frame, at[index]))
  return { bytes, at }
}

/** The znode that canned replies tell of. */
export const cannedStat: Stat = {
  czxid: 0x1_0000_0001n,
  mzxid: 0x1_0000_0002n,
  ctime: 1_790_000_000_000,
  mtime: 1_790_000_000_001,
  version: 1,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 1024,
  numChildren: 0,
  pzxid: 0x1_0000_0001n
}

export const readInt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

export const writeInt = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Counts the frames that chunks complete, without looking at more of them than their lengths. */
export class FrameCounter {
  /** Bytes of the current frame that are still to come. */
  private left = 0
  private prefix = 0
  private prefixed = 0

  /** How many frames `chunk` completes. */
  push(chunk: Uint8Array): number {
    let frames = 0
    let at = 0
    while (at < chunk.length) {
      if (this.left > 0) {
        const take = Math.min(this.left, chunk.length - at)
        this.left -= take
        at += take
        if (this.left > 0) return frames
        frames++
      }
      if (this.prefixed === 0 && at + 4 <= chunk.length) {
        this.left = readInt(chunk, at)
        at += 4
        continue
      }
      while (at < chunk.length && this.prefixed < 4) {
        this.prefix = (this.prefix << 8) | chunk[at++]!
        this.prefixed++
      }
      if (this.prefixed === 4) {
        this.left = this.prefix
        this.prefix = 0
        this.prefixed = 0
      }
    }
    return frames
  }
}
