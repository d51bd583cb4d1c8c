/** A folder for the files of a test. */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"

/** It is gone when the test is over. */
export const inFolder = TemporaryFolder.make("zk-test-")
