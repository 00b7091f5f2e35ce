export const USAGE = `Speech to text, here or on a RunPod endpoint.

  npm start                                    run the job in ./test_input.json
  npm start -- --test_input '{"input":{…}}'    run this job
  npm start -- FILE…                           transcribe recordings

Options for FILE…
  --language CODE    code, tag or name of the language; detected when left out
  --languages A,B    detect one of these only
  --task TASK        transcribe (default) or translate (into English)
  --format FORMAT    json (default), verbose, text, srt, vtt, tsv, rttm or ctm
  --out DIR          write DIR/NAME.EXT for each FILE and print these paths

Options
  --endpoint ID      run the jobs on this RunPod endpoint; RUNPOD_API_KEY must be set
  --help, --version

Results go to stdout; progress and logs go to stderr.
Exit codes: 0 all jobs completed, 1 a job failed, 2 wrong usage.
`;
