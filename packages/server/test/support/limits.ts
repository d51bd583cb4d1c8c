/**
 * Writes under a quota whose limits are odd: what one parser takes and another refuses.
 */
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { encodeRequest } from "@effect-zookeeper/test-kit/RequestFrames"
import { open } from "./harness.ts"
import type { Step } from "./programs.ts"

const texts = [
  "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3",
  "count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=-1",
  "count=1,bytes=1",
  "",
  ",;",
  "nonsense",
  "count=",
  "count=many",
  "count=-1;countHardLimit",
  "countHardLimit==3",
  "countHardLimit=3=,",
  ";countHardLimit=3",
  "countHardLimit=+3",
  "countHardLimit= 3",
  "countHardLimit=3\n",
  "countHardLimit=-",
  "countHardLimit=9223372036854775808",
  "byteHardLimit=9223372036854775807",
  "byteHardLimit=9;countHardLimit=-5",
  "=",
  "=3,countHardLimit=3"
]

/** One program for each kind of limits, null among them. */
export const limitPrograms = (): ReadonlyArray<ReadonlyArray<Step>> =>
  [null, ...texts].map((text, index) => {
    const root = `/limited${index}`
    const folder = `/zookeeper/quota${root}`
    let xid = 0
    const step = <O extends Operation.Any>(row: O, request: Operation.Request<O>, what: string): Step => ({
      _tag: "Request",
      session: 0,
      row,
      bytes: encodeRequest(row, request, ++xid),
      text: `${row.name} ${what} under the limits ${JSON.stringify(text)}`
    })
    const bytes = (length: number) => new Uint8Array(length)
    const node = (path: string, data: Uint8Array | null) => ({ path, data, acl: open, flags: 0 })
    const create = (path: string, data: Uint8Array | null) => step(Operations.create, node(path, data), path)
    const set = (path: string, length: number) =>
      step(Operations.setData, { path, data: bytes(length), version: -1 }, `${path} to ${length} bytes`)
    return [
      create(root, bytes(2)),
      create(folder, null),
      create(`${folder}/zookeeper_limits`, text === null ? null : new TextEncoder().encode(text)),
      create(`${root}/before-the-stats`, bytes(1)),
      create(`${folder}/zookeeper_stats`, new TextEncoder().encode("count=0,bytes=0")),
      create(`${root}/a`, bytes(3)),
      create(`${root}/b`, null),
      set(root, 2),
      set(root, 9),
      set(root, 1),
      step(
        Operations.multi,
        [
          { operation: "check", request: { path: root, version: -1 } },
          { operation: "create", request: node(`${root}/c`, bytes(20)) }
        ],
        "with a create"
      ),
      step(Operations.deleteNode, { path: `${root}/a`, version: -1 }, `${root}/a`),
      create(`${root}/d`, bytes(2)),
      step(Operations.getData, { path: `${folder}/zookeeper_stats`, watch: false }, "of the stats")
    ]
  })
