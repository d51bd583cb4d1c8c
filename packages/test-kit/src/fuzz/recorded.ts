/**
 * Frames that the Java client, kazoo and a real server exchanged, as bytes.
 */
import * as Fs from "node:fs"

/** One recorded frame without its length. */
export interface Recorded {
  readonly direction: "request" | "response" | "notification"
  /** The name of the operation; of a reply, that of its request. */
  readonly op: string
  readonly err: number
  readonly bytes: Uint8Array
}

/** All of them, read at the first use. */
export const recorded = (): ReadonlyArray<Recorded> => {
  const file = new URL("../../../protocol/test/fixtures/frames.jsonl", import.meta.url)
  return Fs.readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { direction: Recorded["direction"]; op: string; err?: number; hex: string })
    .filter(({ op }) => op !== "4lw")
    .map(({ direction, err, hex, op }) => ({
      direction,
      op,
      err: err ?? 0,
      bytes: Uint8Array.from(Buffer.from(hex, "hex")).subarray(4)
    }))
}
