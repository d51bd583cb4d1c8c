/**
 * Rules on frames: which frame a rule is for, and what happens to it. Bytes in, bytes out, no sockets.
 */
import { FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import * as Match from "effect/Match"
import type { Direction, FrameAction, FrameMatch, FrameRecord } from "./model.ts"

/** The frames that leave instead of one, in this order; `reset` ends the connection after what precedes it. */
type Output = Uint8Array | "reset"

/** A rule at work. */
export interface ActiveRule {
  readonly match: FrameMatch
  readonly action: FrameAction
  /** How many matching frames it lets pass first. */
  skip: number
  /** How many frames it still acts on. */
  left: number
  hits: number
  /** Delivers what it holds back. */
  readonly held: Array<() => void>
}

/** The frames of one connection in both directions: they share the table of outstanding requests. */
export class FrameReader {
  private readonly requests = new Map<number, number>()
  private readonly first = { up: true, down: true }

  /** The kind of a frame, from its header and from the requests before. */
  read(connection: number, direction: Direction, body: Uint8Array): FrameRecord {
    const length = body.length
    if (this.first[direction]) {
      this.first[direction] = false
      return { connection, direction, op: "connect", xid: undefined, length }
    }
    const xid = length >= 4 ? viewOf(body).getInt32(0) : undefined
    if (direction === "up") {
      const op = length >= 8 ? viewOf(body).getInt32(4) : undefined
      if (xid !== undefined && op !== undefined) this.requests.set(xid, op)
      return { connection, direction, op, xid, length }
    }
    if (xid === -1) return { connection, direction, op: "notification", xid, length }
    const op = xid === undefined ? undefined : this.requests.get(xid)
    if (xid !== undefined) this.requests.delete(xid)
    return { connection, direction, op, xid, length }
  }
}

/** Whether a rule or a question means this frame. */
export const matches = (match: FrameMatch, frame: FrameRecord): boolean =>
  (match.direction === undefined || match.direction === frame.direction) &&
  (match.op === undefined || match.op === frame.op) &&
  (match.xid === undefined || match.xid === frame.xid) &&
  (match.connection === undefined || match.connection === frame.connection)

/** The rule that is for this frame, used up by one; the first one that was set wins. */
export const take = (rules: ReadonlyArray<ActiveRule>, frame: FrameRecord): ActiveRule | undefined => {
  for (const rule of rules) {
    if (rule.left <= 0 || !matches(rule.match, frame)) continue
    if (rule.skip > 0) {
      rule.skip--
      continue
    }
    rule.left--
    rule.hits++
    return rule
  }
  return undefined
}

/** The frames that an action without memory makes of one; `hold` and `swap` are the connection's business. */
export const apply = (action: FrameAction, body: Uint8Array): ReadonlyArray<Output> =>
  Match.valueTags(action, {
    Drop: (): ReadonlyArray<Output> => [],
    DropAndReset: (): ReadonlyArray<Output> => ["reset"],
    Duplicate: () => [encode(body), encode(body)],
    SetXid: ({ xid }) => [encode(edited(body, (copy) => copy.length >= 4 && viewOf(copy).setInt32(0, xid)))],
    // A server that answers an error sends the header alone: xid, zxid, error.
    SetError: ({ code }) => [
      encode(edited(body.subarray(0, 16), (copy) => copy.length >= 16 && viewOf(copy).setInt32(12, code)))
    ],
    CorruptByte: ({ offset }) => [encode(edited(body, (copy) => offset < copy.length && (copy[offset]! ^= 0xff)))],
    SetLength: ({ length }) => [encode(body, length)],
    Truncate: ({ length }) => [encode(body.subarray(0, length))],
    Inject: (inject) => [encode(body), encode(inject.body)],
    Edit: ({ edit }) => [encode(edit(body.slice()))],
    Hold: () => [encode(body)],
    Swap: () => [encode(body)]
  })

/** A frame on the wire: its length, or another one, and its bytes. */
export const encode = (body: Uint8Array, length = body.length): Uint8Array => {
  const frame = new Uint8Array(4 + body.length)
  viewOf(frame).setInt32(0, length)
  frame.set(body, 4)
  return frame
}

/** The frames of a chunk that holds whole ones, each with its length before it. */
export const framesOf = (chunk: Uint8Array): ReadonlyArray<Uint8Array> => {
  const frames: Array<Uint8Array> = []
  new FrameSplitter(0x7fffffff).push(chunk, (all, start, end) => frames.push(all.slice(start - 4, end)))
  return frames
}

const edited = (body: Uint8Array, edit: (copy: Uint8Array) => unknown): Uint8Array => {
  const copy = body.slice()
  edit(copy)
  return copy
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
