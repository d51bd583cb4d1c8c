/**
 * The floor: raw `node:net` that writes pre-encoded frames and counts replies. Whatever a client does beyond this is its
 * own cost.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Result from "effect/Result"
import * as Net from "node:net"
import { type Connect, dataSize, pathsOf, requestsOf, type Step } from "../contestant.ts"
import { connectFrame, FrameCounter, concatFrames, readInt, requestFrame } from "../wire.ts"

export const connect: Connect = async (servers) => {
  const raw = new Raw(servers)
  await raw.open()
  return {
    prepare: (step) => {
      const frames = concatFrames(framesOf(step))
      // One frame again and again, or each once.
      const repeats = step.op === "get" || step.op === "children"
      const total = requestsOf(step)
      const frame = frames.at[1]!
      const many = repeats
        ? concatFrames(Array.from({ length: step.inFlight }, () => frames.bytes)).bytes
        : frames.bytes
      const slice = (from: number, to: number) =>
        repeats ? many.subarray(0, (to - from) * frame) : many.subarray(frames.at[from], frames.at[to])
      if (step.op === "watch") raw.remember(pathsOf(step))
      return async (latencies) => {
        let begun = latencies.begin(0)
        let index = 0
        await raw.exchange(total, step.inFlight, slice, () => {
          if (step.inFlight !== 1) return
          latencies.end(begun)
          begun = latencies.begin(++index)
        })
      }
    },
    allFired: () => raw.frames(raw.watched),
    getOnce: async (path) => {
      const frame = requestFrame(1, Operations.getData, { path, watch: false })
      while (!(await raw.answered(frame)));
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => raw.socket.once("close", () => resolve()))
      raw.isClosing = true
      raw.socket.write(requestFrame(2, Operations.closeSession, undefined))
      await closed
    }
  }
}

const framesOf = (step: Step): ReadonlyArray<Uint8Array> => {
  const data = new Uint8Array(dataSize)
  const create = (path: string) => ({ path, data, acl: Acl.open, flags: 0 })
  switch (step.op) {
    case "get":
      return [requestFrame(1, Operations.getData, { path: step.path, watch: false })]
    case "children":
      return [requestFrame(1, Operations.getChildren2, { path: step.path, watch: false })]
    case "watch":
      return pathsOf(step).map((path, xid) => requestFrame(xid + 1, Operations.getData, { path, watch: true }))
    case "create":
      return pathsOf(step).map((path, xid) => requestFrame(xid + 1, Operations.create, create(path)))
    case "set":
      return pathsOf(step).map((path, xid) => requestFrame(xid + 1, Operations.setData, { path, data, version: -1 }))
    case "delete":
      return pathsOf(step).map((path, xid) => requestFrame(xid + 1, Operations.deleteNode, { path, version: -1 }))
    case "transaction": {
      const ops = pathsOf(step).map((path) => ({ operation: "create" as const, request: create(path) }))
      const groups = Array.from({ length: Math.ceil(step.count / step.size) }, (_, at) =>
        ops.slice(at * step.size, (at + 1) * step.size)
      )
      return groups.map((group, xid) => requestFrame(xid + 1, Operations.multi, group))
    }
  }
}

/** One connection, which comes back with its watches when it is lost. */
class Raw {
  socket!: Net.Socket
  isClosing = false
  watched = 0
  private readonly host: string
  private readonly port: number
  private session: { readonly id: bigint; readonly password: Uint8Array } | undefined
  private setWatches: Uint8Array = new Uint8Array(0)
  private counter = new FrameCounter()
  private onFrames: (frames: number) => void = () => {}
  private onLost: () => void = () => {}

  constructor(servers: string) {
    const [host = "", port = ""] = servers.split(":")
    this.host = host
    this.port = Number(port)
  }

  /** Connects and shakes hands; registers the watches again when there are any. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = Net.connect({ host: this.host, port: this.port, noDelay: true })
      this.socket = socket
      socket.once("connect", () => socket.write(connectFrame(this.session)))
      socket.once("data", (chunk: Uint8Array) => {
        const reply = Handshake.decodeReply(chunk, 4, 4 + readInt(chunk, 0))
        if (Result.isFailure(reply) || reply.success._tag === "Refused" || reply.success.response.timeOut <= 0) {
          return reject(new Error("the floor got no session"))
        }
        const { passwd, sessionId } = reply.success.response
        this.session = { id: sessionId, password: Uint8Array.from(passwd ?? []) }
        this.counter = new FrameCounter()
        socket.on("data", (next: Uint8Array) => this.onFrames(this.counter.push(next)))
        if (this.setWatches.length > 0) socket.write(this.setWatches)
        resolve()
      })
      socket.on("error", () => {})
      socket.once("close", () => {
        if (!this.isClosing) this.open().then(this.onLost, reject)
      })
    })
  }

  remember(paths: ReadonlyArray<string>): void {
    this.watched = paths.length
    const nothing: ReadonlyArray<string> = []
    this.setWatches = requestFrame(-8, Operations.setWatches, {
      relativeZxid: 0x7fff_ffff_ffffn,
      dataWatches: paths,
      existWatches: nothing,
      childWatches: nothing
    })
  }

  exchange(
    total: number,
    inFlight: number,
    slice: (from: number, to: number) => Uint8Array,
    onAnswer: () => void
  ): Promise<void> {
    return new Promise((resolve) => {
      let next = Math.min(inFlight, total)
      let answered = 0
      this.onFrames = (frames) => {
        if (frames === 0) return
        answered += frames
        onAnswer()
        if (answered >= total) return resolve()
        const to = Math.min(next + frames, total)
        if (to > next) this.socket.write(slice(next, to))
        next = to
      }
      this.socket.write(slice(0, next))
    })
  }

  /** Waits for so many frames. */
  frames(count: number): Promise<void> {
    return new Promise((resolve) => {
      let seen = 0
      this.onFrames = (frames) => {
        seen += frames
        if (seen >= count) resolve()
      }
    })
  }

  /** Sends one request; false when the connection was lost before the answer, and is there again. */
  answered(frame: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      // After a reconnection the answer to the watches comes first.
      let due = 1
      this.onLost = () => {
        this.onLost = () => {}
        due = this.setWatches.length > 0 ? 2 : 1
        this.socket.write(frame)
      }
      this.onFrames = (frames) => {
        due -= frames
        if (due <= 0) resolve(true)
      }
      if (!this.socket.connecting && this.socket.writable) this.socket.write(frame)
    })
  }
}
