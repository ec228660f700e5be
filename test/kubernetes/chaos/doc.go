// Package chaos kills parts of the test cluster and of Jeton while clients call functions and make
// changes, and checks what the clients have seen. The checks are ordinary code with tests of their own;
// make test-kubernetes runs the rest inside the cluster.
package chaos
