/** The memory that the process keeps, without what is left for the collector. */
import * as V8 from "node:v8"
import * as Vm from "node:vm"

V8.setFlagsFromString("--expose-gc")
export const collectGarbage: NodeJS.GCFunction = Vm.runInNewContext("gc")

/** Bytes of the heap and of buffers. Buffers that one collection finds are given back by the next. */
export const retainedBytes = (): number => {
  for (let times = 0; times < 3; times++) collectGarbage()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}

export const MiB = 1024 * 1024
