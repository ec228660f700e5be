package regional_test

import (
	"testing"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

const uuid = "7b7861e8-205f-4432-950b-310a018d8403"

func TestParse_AcceptsOnlyRegionAndUUID(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   string
		want string
		ok   bool
	}{
		"regional":            {in: "fr-par/" + uuid, want: "fr-par/" + uuid, ok: true},
		"another region":      {in: "nl-ams/" + uuid, want: "nl-ams/" + uuid, ok: true},
		"upper case":          {in: "fr-par/7B7861E8-205F-4432-950B-310A018D8403", want: "fr-par/" + uuid, ok: true},
		"bare":                {in: uuid},
		"empty":               {in: ""},
		"zone":                {in: "fr-par-1/" + uuid},
		"three parts":         {in: "fr-par/x/" + uuid},
		"dots as region":      {in: "../../" + uuid},
		"query after the id":  {in: "fr-par/" + uuid + "?x=1"},
		"no region":           {in: "/" + uuid},
		"new line at the end": {in: "fr-par/" + uuid + "\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := regional.Parse(test.in)
			if test.ok != (err == nil) {
				t.Fatalf("Parse(%q): error %v", test.in, err)
			}
			if test.ok && got.String() != test.want {
				t.Errorf("Parse(%q) = %s, want %s", test.in, got, test.want)
			}
		})
	}
}

func TestParseReference_BareUUIDHasFallbackRegion(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   string
		want regional.ID
		ok   bool
	}{
		"bare":     {in: uuid, want: regional.ID{Region: scw.RegionPlWaw, UUID: uuid}, ok: true},
		"regional": {in: "nl-ams/" + uuid, want: regional.ID{Region: scw.RegionNlAms, UUID: uuid}, ok: true},
		"neither":  {in: "main"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := regional.ParseReference(test.in, scw.RegionPlWaw)
			if test.ok != (err == nil) {
				t.Fatalf("ParseReference(%q): error %v", test.in, err)
			}
			if got != test.want {
				t.Errorf("ParseReference(%q) = %+v, want %+v", test.in, got, test.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"fr-par/" + uuid, uuid, "", "/", "fr-par/../../x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := regional.Parse(s)
		if err != nil {
			return
		}
		again, err := regional.Parse(id.String())
		if err != nil || again != id {
			t.Errorf("Parse(%q) = %v, which reads back as %v, %v", s, id, again, err)
		}
	})
}
