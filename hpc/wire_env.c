/* Environment vectors of wire-up; the same with and without PMIx. */
#include "hpc/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void wire_env_free(char **env)
{
        for (char **e = env; e && *e; e++)
                free(*e);
        free(env);
}

bool wire_env_is_foreign(const char *assignment)
{
        /* PMI_* is PMI-1 and 2. JSM_ and the ORTE ones decide in Open MPI 4 who launched
         * the process (orte/mca/schizo), OMPI_COMM_WORLD_* is what mpirun tells its ranks. */
        static const char *const prefixes[] = {
                "PMIX_", "PMI_", "PMI2_", "JSM_", "OMPI_COMM_WORLD_", "OMPI_MCA_orte_", "OMPI_MCA_ess_", "PRTE_",
        };
        if (str_starts(assignment, "PMIX_MCA_"))
                return false;
        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
                if (str_starts(assignment, prefixes[i]))
                        return true;
        return false;
}
