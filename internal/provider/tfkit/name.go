package tfkit

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

// maxNameTries is how often a generated name may turn out to be taken.
const maxNameTries = 5

// CreateNamed calls create with the configured name or, where there is none,
// with a generated one, and with another if that is taken. An error says which
// name was generated: what it would have named may be there all the same.
func CreateNamed[T any](configured types.String, prefix string, pick func(n int) int, create func(name string) (*T, error)) (*T, error) {
	if !configured.IsNull() && !configured.IsUnknown() {
		return create(configured.ValueString())
	}
	for try := 1; ; try++ {
		name := generatedName(prefix, pick)
		made, err := create(name)
		switch {
		case err == nil:
			return made, nil
		case try == maxNameTries || !client.IsConflict(err):
			return nil, fmt.Errorf("the name %s was generated: %w", name, err)
		}
	}
}

// generatedName returns a name of the official provider's form, such as
// tf-func-<adjective>-<surname>. That is at most 34 characters long, as function
// names have to be.
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
