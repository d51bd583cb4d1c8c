/**
 * A client that sends what it is told and judges nothing: frames out, frames in.
 */
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import { connectRequest, encodeRequest, framed } from "@effect-zookeeper/test-kit/RequestFrames"
import * as Result from "effect/Result"
import * as Net from "node:net"

const replyHeader = Jute.codec(Records.ReplyHeader)
const watcherEvent = Jute.codec(Records.WatcherEvent)

/** The port of the last server of a connect string. */
export const portOf = (connectString: string): number => Number(connectString.slice(connectString.lastIndexOf(":") + 1))

export interface Reply {
  readonly xid: number
  readonly zxid: bigint
  readonly err: number
  readonly body: JuteReader
}

interface Event {
  readonly zxid: bigint
  readonly type: number
  readonly state: number
  readonly path: string
}

export class RawClient {
  readonly events: Array<Event> = []
  closed = false
  private readonly socket: Net.Socket
  private readonly frames: Array<Uint8Array> = []
  private readonly waiting: Array<() => void> = []

  private constructor(socket: Net.Socket) {
    this.socket = socket
    const splitter = new Frame.FrameSplitter(0x7fffffff)
    socket.on("data", (chunk: Buffer) => {
      splitter.push(new Uint8Array(chunk), (bytes, start, end) => this.frames.push(bytes.slice(start, end)))
      this.wake()
    })
    const over = () => {
      this.closed = true
      this.wake()
    }
    socket.on("end", over)
    socket.on("close", over)
    socket.on("error", over)
  }

  static dial(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = Net.connect({ host: "127.0.0.1", port, noDelay: true })
      socket.once("error", reject)
      socket.once("connect", () => {
        socket.off("error", reject)
        resolve(new RawClient(socket))
      })
    })
  }

  raw(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  frame(body: Uint8Array): void {
    this.raw(framed(body))
  }

  /** The next frame, or undefined when the server has closed. */
  async next(timeout = 10_000): Promise<Uint8Array | undefined> {
    while (this.frames.length === 0 && !this.closed) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`nothing came within ${timeout} ms`)), timeout)
        this.waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    return this.frames.shift()
  }

  /** The next reply; what comes before it are events, and is kept. */
  async reply(timeout?: number): Promise<Reply | undefined> {
    for (;;) {
      const frame = await this.next(timeout)
      if (frame === undefined) return undefined
      const body = new JuteReader(frame)
      const header = replyHeader.read(body)
      if (header.xid !== Operations.Xid.notification) return { ...header, body }
      this.events.push({ zxid: header.zxid, ...watcherEvent.read(body) })
    }
  }

  async connect(request: Partial<Handshake.ConnectRequest> = {}): Promise<Handshake.ConnectReply | undefined> {
    this.raw(
      Frame.encode(
        Handshake.connectRequest,
        connectRequest({ timeOut: 30_000, passwd: new Uint8Array(16), ...request })
      )
    )
    const frame = await this.next()
    return frame === undefined
      ? undefined
      : Result.getOrThrow(Jute.attempt(Handshake.connectReply, new JuteReader(frame)))
  }

  /** Sends a request and waits for the reply. */
  request<Request>(
    row: Operation.Operation<string, Request, any, any>,
    request: Request,
    xid = 1
  ): Promise<Reply | undefined> {
    this.frame(encodeRequest(row, request, xid))
    return this.reply()
  }

  /** Reads no more. */
  pause(): void {
    this.socket.pause()
  }

  /** Reads on. */
  resume(): void {
    this.socket.resume()
  }

  close(): void {
    this.socket.destroy()
  }

  private wake(): void {
    for (const resume of this.waiting.splice(0)) resume()
  }
}
