/**
 * From compute capability 9.0 on the runtime takes cuDNN's attention, which makes a plan for every
 * new length of the past: 40 ms a step on an H100, twenty times the step itself. Its own kernels need
 * none. To be set in the process before the first session; a thread cannot.
 */
export function avoidCudnnAttention(): void {
  process.env['ORT_ENABLE_CUDNN_FLASH_ATTENTION'] ??= '0';
}
