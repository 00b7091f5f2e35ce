"""RunPod's Hub looks for a file of this name; it is not part of the worker and not in the image.

The worker is TypeScript and starts with `node handler/main.ts` (see the Dockerfile).
"""

raise SystemExit("This worker runs on Node: node handler/main.ts")
