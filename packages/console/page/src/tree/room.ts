/** Which directory is closed when more are open than the page can follow. */
import { isWithin } from "../model/znodePath.ts"

/** Of the open directories in the order in which they were opened: the first that is not above `path`, and has no open one below. */
export const oldestBeside = (open: ReadonlyArray<string>, path: string): string | undefined =>
  open.find((one) => !isWithin(path, one) && !open.some((other) => other !== one && isWithin(other, one)))
