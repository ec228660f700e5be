package tfkit

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

// maxNameTries is how many generated names are tried.
const maxNameTries = 5

// CreateNamed calls create with the configured name. If the name is null or unknown, it
// calls create with generated names until one is not in use. The error then contains
// the last generated name, because the object may exist despite the error.
func CreateNamed[T any](configured types.String, prefix string, pick func(n int) int, create func(name string) (*T, error)) (*T, error) {
	if !configured.IsNull() && !configured.IsUnknown() {
		return create(configured.ValueString())
	}
	for try := 1; ; try++ {
		name := generatedName(prefix, pick)
		created, err := create(name)
		switch {
		case err == nil:
			return created, nil
		case try == maxNameTries || !client.IsConflict(err):
			return nil, fmt.Errorf("create with the generated name %s: %w", name, err)
		}
	}
}

// generatedName returns a name as the official provider generates it, such as
// tf-func-brave-curie. It has at most 34 characters, the limit for function names.
func generatedName(prefix string, pick func(n int) int) string {
	adjectives, surnames := strings.Fields(nameAdjectives), strings.Fields(nameSurnames)
	return prefix + adjectives[pick(len(adjectives))] + "-" + surnames[pick(len(surnames))]
}

const (
	nameAdjectives = `agile amber bold brave bright brisk calm candid clear clever crisp curious
		daring eager earnest elegant fair fleet fond frank gentle glad golden graceful
		happy hardy honest humble jolly keen kind lively lucid lucky mellow merry
		mighty modest neat nimble noble patient placid polite proud quick quiet ready
		serene sharp silent sober steady stoic sunny swift tender tidy upbeat valiant
		vivid warm wise witty`
	nameSurnames = `abel ampere babbage becquerel bell bernoulli bohr boole braille carnot cauchy
		chatelet cori coulomb curie daguerre dijkstra dirac einstein euclid euler faraday fermat
		feynman fourier franklin galileo galois gauss germain goodall hamilton hawking
		herschel hopper huygens joule kepler kovalevsky lagrange laplace leibniz lovelace
		maxwell mayer meitner mendel newton noether pascal pasteur perlman planck poincare
		ptolemy raman ritchie tesla torvalds turing volta wiles wozniak yalow`
)
