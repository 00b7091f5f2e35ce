/**
 * Settings that ONNX Runtime reads from the environment before its first session. They must be set in
 * the main thread: a worker thread has a copy of the environment that native code does not see.
 *
 * - Telemetry is off: from 1.29 on the runtime writes a device id into the user's home and sends events
 *   to Microsoft unless this is set (docs/security.md).
 * - From compute capability 9.0 on the runtime takes cuDNN's attention, which makes a plan for every new
 *   length of the past: 40 ms a step on an H100, twenty times the step itself (docs/decisions/0027).
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
process.env['ORT_ENABLE_CUDNN_FLASH_ATTENTION'] ??= '0';
