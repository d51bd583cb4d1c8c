/**
 * Data of znodes as bytes.
 */
export { copyOf as toBytes } from "@effect-zookeeper/client/Bytes"
