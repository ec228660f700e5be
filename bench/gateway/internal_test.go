package main

import "testing"

func TestAdmissionResults_ParsesBenchmarks(t *testing.T) {
	t.Parallel()
	const output = `goos: linux
BenchmarkAdmission/10_tokens-2         	  100	       850.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkAdmission/1000000_tokens-2    	  100	       900.5 ns/op	       0 B/op	       0 allocs/op
BenchmarkRefusal/of_another_function-2 	  100	       800 ns/op
BenchmarkRefusal/expired-2             	  100	       810 ns/op
BenchmarkRefusal/unknown               	  100	       820 ns/op
PASS
`
	found, err := admissionResults([]byte(output))
	if err != nil || len(found) != 2 || found[0].Ours != 900.5 || found[0].Reference != 850 || found[1].Ours != 820 {
		t.Errorf("got %+v, error %v", found, err)
	}
	if _, err := admissionResults([]byte("PASS\n")); err == nil {
		t.Error("output without benchmarks: got no error")
	}
}
