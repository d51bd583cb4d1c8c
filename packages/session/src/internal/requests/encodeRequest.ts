import type { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Exit from "effect/Exit"
import { FrameTooLarge } from "../../SessionError.ts"
import { EncodedBody } from "./EncodedBody.ts"
import type { PendingRequest } from "./PendingRequest.ts"

/**
 * Writes a request as one frame. Gives the failure of a request that cannot be written, or has more than `maxSize` bytes;
 * the writer is as before then.
 */
export const encodeRequest = (
  writer: JuteWriter,
  request: PendingRequest,
  xid: number,
  maxSize: number
): Exit.Exit<never, FrameTooLarge> | undefined => {
  const { operation } = request
  const start = writer.length
  try {
    writer.int(0)
    writer.int(xid)
    writer.int(operation.opCode)
    const asked = request.request
    if (asked instanceof EncodedBody) writer.raw(asked.bytes)
    else operation.request.write(writer, asked)
  } catch (defect) {
    writer.truncate(start)
    return Exit.die(defect)
  }
  const size = writer.length - start - 4
  if (size > maxSize) {
    writer.truncate(start)
    const { path } = request
    return Exit.fail(
      new FrameTooLarge({ operation: operation.name, path, size, limit: maxSize, option: "maxRequestSize" })
    )
  }
  writer.setInt(start, size)
  return undefined
}

/**
 * A request as it is now, whatever its caller does with its bytes and arrays while it waits. A request without any stays
 * the same object, because whether a read sets a watch is written into it when it is sent.
 */
export const copyOf = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (ArrayBuffer.isView(value)) return new Uint8Array(value as Uint8Array)
  if (Array.isArray(value)) return value.map(copyOf)
  let copy: Record<string, unknown> | undefined
  for (const [key, member] of Object.entries(value)) {
    const own = copyOf(member)
    if (own !== member) (copy ??= { ...value })[key] = own
  }
  return copy ?? value
}
