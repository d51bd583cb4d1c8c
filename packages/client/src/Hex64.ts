/**
 * Zxids and session ids as text. The module of the protocol package, for packages on top.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
export * from "@effect-zookeeper/protocol/Hex64"
